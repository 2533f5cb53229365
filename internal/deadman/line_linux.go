package deadman

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Line is the supervisor's end of the socket. Nothing of it waits. An error says that the process is gone, or does not listen:
// it has to be replaced.
type Line struct {
	mu      sync.Mutex
	ours    int // -1 once it is closed
	theirs  int // -1 once the process has it
	waiting backlog
	flusher sync.WaitGroup // who sends what waits, if anything does
}

var (
	// ErrKernel says that this kernel has no pidfds, by which workers are known: it is older than Linux 5.3.
	ErrKernel = errors.New("the kernel has no pidfds")

	errClosed = errors.New("the line is closed")
)

// Open makes a line to a process that is to be started with the descriptor of Theirs as its fourth, the name and the
// environment of Argv and Environ. What is said before it runs is not lost.
func Open() (*Line, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	return &Line{ours: ours, theirs: theirs}, nil
}

// Adopt takes over a line that the program before us has handed on.
func Adopt(fd int) *Line {
	unix.CloseOnExec(fd)
	return &Line{ours: fd, theirs: -1}
}

// Program is what is to be executed: this program, whatever is at its path by now.
const Program = "/proc/self/exe"

// Argv is its command line, for the supervisor of a name.
func Argv(name string) []string { return []string{title + name} }

// Environ is its environment: it needs one processor, and little memory.
func Environ() []string {
	return []string{"GOMAXPROCS=1", "GODEBUG=containermaxprocs=0", "GOGC=off", "GOMEMLIMIT=8MiB"}
}

// Theirs is the descriptor of the process's end.
func (l *Line) Theirs() int { return l.theirs }

// Started lets go of that, once the process has it or never will.
func (l *Line) Started() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.theirs >= 0 {
		_ = unix.Close(l.theirs)
		l.theirs = -1
	}
}

// Ours is the descriptor of our end; -1 once it is closed.
func (l *Line) Ours() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ours
}

// Lend makes another descriptor of our end, for a worker that says itself that it has to be watched. The caller closes it.
func (l *Line) Lend() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ours < 0 {
		return -1, errClosed
	}
	return unix.FcntlInt(uintptr(l.ours), unix.F_DUPFD_CLOEXEC, 0)
}

func (l *Line) say(m Message, files ...int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ours < 0:
		return errClosed
	case l.waiting.broken != nil:
		return l.waiting.broken
	case len(l.waiting.all) == 0:
		if err := send(l.ours, m, files...); !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
	return l.put(m, files)
}

// Deadline says when a session ends.
func (l *Line) Deadline(session int64, at time.Duration) error {
	return l.say(Message{Kind: Deadline, Sessions: Sessions{session}, At: at})
}

// Watch says what is known of a worker: its pidfd, and the directory of its control group, in so far as they
// are not -1.
func (l *Line) Watch(token uint64, pid int, sessions Sessions, process, group int) error {
	m := Message{Kind: Watch, Token: token, PID: uint32(pid), Sessions: sessions}
	var files []int
	if process >= 0 {
		m.Files |= WithProcess
		files = append(files, process)
	}
	if group >= 0 {
		m.Files |= WithGroup
		files = append(files, group)
	}
	return l.say(m, files...)
}

// Forget says that a worker is gone.
func (l *Line) Forget(token uint64) error { return l.say(Message{Kind: Forget, Token: token}) }

// Read takes what the process has said. That is io.EOF when it has ended, and EAGAIN when it is silent.
func (l *Line) Read() (Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ours < 0 {
		return Message{}, errClosed
	}
	m, process, group, err := receive(l.ours)
	for _, fd := range []int{process, group} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	return m, err
}

// Bye ends the process, which is not needed any more.
func (l *Line) Bye() {
	_ = l.say(Message{Kind: Bye}) // one that does not listen is dead, or ends with the last worker
	l.Flush()
}

// Close lets go of the process: it goes on as long as workers live that it watches. Nothing may be said meanwhile.
func (l *Line) Close() {
	l.Started()
	if fd := l.Ours(); fd >= 0 {
		_ = unix.Shutdown(fd, unix.SHUT_WR) // what is sent already is read; who sends more stops
	}
	l.flusher.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.drop(errClosed)
	if l.ours >= 0 {
		_ = unix.Close(l.ours)
		l.ours = -1
	}
}

// supported reports whether workers can be known by pidfds.
func supported() error {
	fd, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return ErrKernel
	}
	return unix.Close(fd)
}
