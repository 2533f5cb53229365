package testguest

import (
	"flag"
	"fmt"
	"net/http"

	"golang.org/x/sys/unix"
)

// moment is when a guest harms its sockets.
type moment string

const (
	atStart   moment = "start"
	atRequest moment = "request" // of the path /harm
	atTerm    moment = "term"
)

// harm is what a guest does to its listening sockets, which others use as well.
type harm struct {
	do   func(fd int) error // nil is nothing
	when moment
}

func (h *harm) bind(flags *flag.FlagSet) {
	if h.do != nil {
		flags.StringVar((*string)(&h.when), "when", string(atRequest), "start, request (of /harm) or term")
	}
}

// shutdown calls shutdown(2) on its listening sockets, as some programs do to wake
// their threads; it goes on when somebody listens on them again.
func shutdown(args []string) int {
	return serveWith("shutdown", args, options{harm: harm{do: func(fd int) error {
		return unix.Shutdown(fd, unix.SHUT_RDWR)
	}}})
}

// clearer makes its sockets blocking and their backlog as small as it gets.
func clearer(args []string) int {
	return serveWith("clearer", args, options{harm: harm{do: func(fd int) error {
		if err := unix.SetNonblock(fd, false); err != nil {
			return err
		}
		return unix.Listen(fd, 1)
	}}})
}

// hurt does the harm, if now is the time for it.
func (s *server) hurt(now moment) error {
	if s.harm.do == nil || s.harm.when != now {
		return nil
	}
	for _, socket := range s.sockets {
		l, ok := socket.listener.(*listener)
		if !ok {
			continue
		}
		l.harmed.Store(true) // before: accept4(2) would fail, or block where Close cannot end it
		var harmed error
		err := l.raw.Control(func(fd uintptr) { harmed = s.harm.do(int(fd)) })
		if err == nil {
			err = harmed
		}
		if err != nil {
			return fmt.Errorf("cannot harm socket %q: %w", socket.name, err)
		}
	}
	return nil
}

func (s *server) answerHarm(w http.ResponseWriter, r *http.Request) {
	if err := s.hurt(atRequest); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.answer(w, r)
}

// pending tells whether the socket listens and a connection waits.
func pending(fd uintptr) bool {
	listens, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listens == 0 {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLIN != 0
}
