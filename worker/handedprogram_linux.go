package worker

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// HandedProgram is a kept program as the one that replaces us has to know it.
type HandedProgram struct {
	Path     string
	FD       int // -1 if it is not kept
	Dev, Ino uint64
	Size     int64
	Modified int64 // in nanoseconds
}

// Descriptors are those that the next program has to inherit.
func (h *HandedProgram) Descriptors() []*int {
	if h.FD < 0 {
		return nil
	}
	return []*int{&h.FD}
}

// Hand describes the file to the program that replaces this one.
func (p *Program) Hand() HandedProgram {
	p.mu.Lock()
	defer p.mu.Unlock()
	return HandedProgram{
		Path: p.path, FD: p.fd, Dev: p.known.dev, Ino: p.known.ino, Size: p.known.size,
		Modified: p.known.modified.Nano(),
	}
}

var errNotThatFile = errors.New("the descriptor handed for it is another one")

// AdoptProgram takes over what the program before has kept. If it fails the descriptor stays as it is.
func AdoptProgram(h HandedProgram) (*Program, error) {
	p := &Program{path: h.Path, fd: h.FD, known: fileState{
		dev: h.Dev, ino: h.Ino, size: h.Size, modified: unix.NsecToTimespec(h.Modified),
	}}
	if p.fd < 0 {
		return p, nil
	}
	if err := p.verify(); err != nil {
		return nil, fmt.Errorf("cannot adopt %s: %w", h.Path, err)
	}
	unix.CloseOnExec(p.fd)
	return p, nil
}

// verify makes sure that the descriptor is that of the file, and good for nothing but to execute it.
func (p *Program) verify() error {
	flags, err := unix.FcntlInt(uintptr(p.fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(p.fd, &st); err != nil {
		return err
	}
	if now := stateOf(&st); flags&unix.O_PATH == 0 || now.dev != p.known.dev || now.ino != p.known.ino {
		return errNotThatFile
	}
	return nil
}
