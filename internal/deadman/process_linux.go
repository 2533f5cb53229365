package deadman

import (
	"errors"
	"io"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// process is the one that kills.
type process struct {
	name   string
	socket int // -1 once the supervisor is gone
	timer  int
	epoll  int
	kept   register
	leaves bool
}

// begin makes what the process needs.
func begin(name string, socket int) (*process, error) {
	p := &process{name: name, socket: socket, kept: newRegister()}
	var err error
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return nil, err
	}
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for _, fd := range []int{p.socket, p.timer} {
		if err := p.await(fd, 0); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *process) await(fd int, how uint32) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | how, Fd: int32(fd)})
}

// run returns when nobody needs it any more.
func (p *process) run() {
	for !p.leaves && (p.socket >= 0 || len(p.kept.watched) > 0) {
		p.arm()
		p.sleep()
		p.hear() // first: what was said before a deadline counts
		p.strike()
	}
}

// sleep waits for news, which without a supervisor is also that workers have died.
func (p *process) sleep() {
	var events [128]unix.EpollEvent
	n, err := unix.EpollWait(p.epoll, events[:], -1)
	if err != nil {
		return // EINTR
	}
	var dead []int
	for _, e := range events[:n] {
		if fd := int(e.Fd); fd != p.socket && fd != p.timer {
			dead = append(dead, fd)
		}
	}
	if len(dead) > 0 {
		p.died(dead)
	}
}

// hear takes everything that was said.
func (p *process) hear() {
	for p.socket >= 0 {
		m, process, group, err := receive(p.socket)
		switch {
		case err == nil:
			p.obey(&m, process, group)
		case errors.Is(err, unix.EAGAIN):
			return
		case errors.Is(err, io.EOF):
			p.mourn()
		default: // it is no message, and whoever wrote it will not mind
		}
	}
}

func (p *process) obey(m *Message, process, group int) {
	switch m.Kind {
	case Bye:
		p.leaves = true
	case Deadline:
		p.kept.putOff(m.Sessions[0], m.At, time.Duration(now()))
	case Watch:
		if m.Files&WithProcess != 0 && process < 0 || m.Files&WithGroup != 0 && group < 0 {
			p.tell(Message{Kind: Blind, Token: m.Token})
		}
		closeAll(p.kept.watch(m, process, group))
	case Forget:
		closeAll(p.kept.forget(m.Token))
	case Killed, Blind: // ours
	}
}

// mourn goes on without a supervisor: nobody else says who dies.
func (p *process) mourn() {
	_ = unix.Close(p.socket) // with that epoll(7) forgets it
	p.socket = -1
	for _, w := range p.kept.watched {
		if w.process >= 0 {
			_ = p.await(w.process, unix.EPOLLONESHOT) // or it is watched until its time is over
		}
	}
}

// died forgets workers of whom nobody is left, by the pidfds of those who have died. What others leave behind has their claims:
// somebody of it is waited for.
func (p *process) died(pidfds []int) {
	groups := livingGroups()
	for token, w := range p.kept.watched {
		if !slices.Contains(pidfds, w.process) && !slices.Contains(pidfds, w.heir) {
			continue
		}
		heir, any := w.survivor(groups)
		if !any {
			closeAll(p.kept.forget(token))
			continue
		}
		if w.heir >= 0 {
			_ = unix.Close(w.heir)
			w.heir = -1
		}
		if fd, err := unix.PidfdOpen(heir, 0); err == nil {
			w.heir = fd
			_ = p.await(fd, unix.EPOLLONESHOT) // or until its time is over
		}
	}
}

// strike kills whose time is over.
func (p *process) strike() {
	at := time.Duration(now())
	over := p.kept.pass(at)
	m := Message{Kind: Killed, At: at}
	copy(m.Sessions[:], over)
	for _, w := range p.kept.due() {
		if w.lives() {
			m.PID++
		}
		w.kill()
		if p.socket < 0 {
			closeAll(p.kept.forget(w.token))
		}
	}
	if m.PID > 0 {
		p.tell(m)
	}
}

// tell says something to the supervisor, and to whoever reads the system's log if there is none.
func (p *process) tell(m Message) {
	if p.socket >= 0 && send(p.socket, m) == nil {
		return
	}
	if m.Kind == Killed {
		p.log(int(m.PID))
	}
}

// arm sets the timer. What is over already is not awaited: a time of 0 switches it off.
func (p *process) arm() {
	var when unix.ItimerSpec
	if at, any := p.kept.next(); any {
		when.Value = unix.NsecToTimespec(max(int64(at), 1))
	}
	_ = unix.TimerfdSettime(p.timer, unix.TFD_TIMER_ABSTIME, &when, nil)
}
