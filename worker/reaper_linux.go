package worker

import (
	"errors"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// table knows the children by pid. Its lock covers fork+register on one side and
// look-at-the-zombie+wait on the other, so a pid is never looked up for the
// process that had the number before or after.
type table struct {
	mu        sync.Mutex
	leaders   map[int]*start   // forked by us, not reaped
	remaining map[int]*Process // reaped, but members of their process group live, and no control group will tell; by pgid
	begun     bool             // Main runs: nobody is adopted any more
	adopted   []*Process       // reaped by the program before, with a control group that may have become empty since
}

func (t *table) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun = true
}

// recheckInterval is how soon it is noticed that the last member of a group whose
// leader has ended left it by setsid(2), as every classic daemon does: of that the
// kernel tells nobody. It ticks only while there is such a group.
const recheckInterval = 250 * time.Millisecond

// reapLoop sleeps until a child has died. Several deaths may come as one signal,
// and one signal may find its child already reaped: both are all right.
func (s *Spawner) reapLoop(stop <-chan struct{}) {
	timer := time.NewTimer(recheckInterval)
	defer timer.Stop()
	s.inTurn(s.reapAll) // children from before: those of the program that executed us
	s.inTurn(s.recheckAdopted)
	for {
		var tick <-chan time.Time
		if s.table.anyRemaining() {
			timer.Reset(recheckInterval)
			tick = timer.C
		}
		select {
		case <-s.child:
			s.inTurn(s.reapAll)
		case <-s.recheck:
			s.inTurn(s.recheckAll)
		case <-tick:
			s.inTurn(s.recheckAll)
		case <-stop:
			return
		}
	}
}

// inTurn acts while nobody is still: see Still.
func (s *Spawner) inTurn(act func()) {
	s.turn.Lock()
	defer s.turn.Unlock()
	act()
}

func (t *table) anyRemaining() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.remaining) > 0
}

// reapAll reaps until no child is dead. The death of an adopted orphan may have
// emptied a group; one look at the end suffices for all of them.
func (s *Spawner) reapAll() {
	defer s.recheckAll()
	for {
		s.table.mu.Lock()
		pid, ok := deadChild(unix.P_ALL, 0)
		if !ok {
			s.table.mu.Unlock()
			return
		}
		st, known := s.table.leaders[pid]
		if !known {
			_ = wait(pid, nil, nil)
			s.table.mu.Unlock()
			continue
		}
		delete(s.table.leaders, pid)
		s.table.mu.Unlock()
		s.reapLeader(st)
	}
}

// reapLeader tells the start of a process before its end: it may be dead before
// its status pipe was read. Still a zombie, it keeps its number.
func (s *Spawner) reapLeader(st *start) {
	s.resolve(st)
	s.table.mu.Lock()
	s.reapLeaderLocked(st)
	s.table.mu.Unlock()
	st.process.calls.run()
}

// reapLeaderLocked waits for a leader that is known to be dead. Members of its
// group that died with it and are ours by adoption go first into the account:
// otherwise every stop of a whole group would look as if something remained.
func (s *Spawner) reapLeaderLocked(st *start) {
	p := st.process
	p.mu.Lock()
	defer p.mu.Unlock()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	exit := Exit{PID: p.pid, Code: CodeUnknown}
	if err := wait(p.pid, &status, &usage); err == nil {
		exit = newExit(p.pid, status, &usage)
	}
	for {
		member, ok := deadChild(unix.P_PGID, p.pid)
		if _, known := s.table.leaders[member]; !ok || known {
			break
		}
		_ = wait(member, nil, nil)
	}
	if !st.ran {
		p.onExit, p.onGone = nil, nil
	}
	p.exitedLocked(exit)
	if p.phase == phaseRemains && p.group == nil {
		s.table.remaining[p.pid] = p
	}
}

func (s *Spawner) recheckAll() {
	s.table.mu.Lock()
	var gone []*Process
	for pgid, p := range s.table.remaining {
		if p.recheck() {
			delete(s.table.remaining, pgid)
			gone = append(gone, p)
		}
	}
	s.table.mu.Unlock()
	for _, p := range gone {
		p.calls.run()
	}
}

// emptied is called when the last process of a control group has ended, which may be before the fork has returned.
func (s *Spawner) emptied(st *start) {
	s.table.mu.Lock()
	p := st.process
	s.table.mu.Unlock()
	if p != nil && p.recheck() {
		p.calls.run()
	}
}

// deadChild finds a child to be reaped without reaping it.
func deadChild(kind, id int) (pid int, ok bool) {
	// The pid follows three ints, aligned as the pointers in the union with it
	// (siginfo_t of sigaction(2)).
	const pidOffset = (3*4 + unsafe.Sizeof(uintptr(0)) - 1) &^ (unsafe.Sizeof(uintptr(0)) - 1)
	for {
		var info unix.Siginfo
		err := unix.Waitid(kind, id, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		pid = int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), pidOffset)))
		return pid, err == nil && pid != 0
	}
}

// wait reaps a dead child. WNOHANG, so that a mistake could never block.
func wait(pid int, status *syscall.WaitStatus, usage *syscall.Rusage) error {
	for {
		got, err := syscall.Wait4(pid, status, syscall.WNOHANG, usage)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil && got != pid {
			return syscall.ECHILD
		}
		return err
	}
}
