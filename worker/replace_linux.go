package worker

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Replacement is the program that takes the place of this one: same process, same children.
type Replacement struct {
	Path      string
	Argv, Env []string
	// Inherit are the descriptors that stay open, under their numbers; beside the standard ones no others do.
	Inherit []int
	// Signals is what this program is notified by, if it is; nobody else reads it meanwhile. What waits in it goes on to the
	// next program, but see ErrSignalled.
	Signals chan os.Signal
}

var (
	// ErrSignalled is returned by Replace when a signal that ends the program came first. It is in the channel again.
	ErrSignalled = errors.New("a signal to stop has come")

	errNotMainThread = errors.New("this is not the main thread")
)

// Replace executes another program in place of this one. It must be called by the function that Still calls, where Main runs
// on the main thread: the kernel keeps that thread alone, and kills the children of the others that want to hear of it.
//
// The next program calls NotifySignals first of all, then SealInherited, Adopt, Main. From here on until then
//   - HUP and INT are ignored, as the Go runtime unblocks them before it can handle them, whatever mask it starts with;
//   - TERM and QUIT end the process, as a request to stop;
//   - others wait, each kind as one. Those that the kernel gives to another thread while it reads the next program are lost.
//
// When Replace returns there is no other program: all is as it was, and the error says why.
func (s *Spawner) Replace(r Replacement) error {
	if syscall.Gettid() != os.Getpid() {
		return fmt.Errorf("cannot execute %s: %w", r.Path, errNotMainThread)
	}
	err := s.replace(r)
	return fmt.Errorf("cannot execute %s: %w", r.Path, err)
}

func (s *Spawner) replace(r Replacement) error {
	flags, err := descriptorFlags(r.Inherit)
	if err != nil {
		return err
	}
	quiet, err := hush()
	if err != nil {
		return err
	}
	defer quiet.end()
	if err := passOn(r.Signals); err != nil {
		return err
	}
	defer s.lowerOpenFiles()()
	for fd, had := range flags {
		if had&unix.FD_CLOEXEC != 0 {
			_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, had&^unix.FD_CLOEXEC)
			defer unix.CloseOnExec(fd)
		}
	}
	return syscall.Exec(r.Path, r.Argv, r.Env)
}

// descriptorFlags finds out whether all of them are open, and how.
func descriptorFlags(fds []int) (map[int]int, error) {
	flags := make(map[int]int, len(fds))
	for _, fd := range fds {
		had, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			return nil, fmt.Errorf("cannot pass descriptor %d on: %w", fd, err)
		}
		flags[fd] = had
	}
	return flags, nil
}

// hushed is what was changed for the time in which no signal can be handled.
type hushed struct {
	mask    unix.Sigset_t
	actions map[syscall.Signal]sigaction
}

// hush blocks all signals on this thread, and takes those from the Go runtime that the next one does not leave blocked. The
// runtime does not know, so that nothing has to be registered again.
func hush() (*hushed, error) {
	h := &hushed{actions: map[syscall.Signal]sigaction{}}
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i]--
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &h.mask); err != nil {
		return nil, fmt.Errorf("cannot block signals: %w", err)
	}
	for sig, handler := range actionsOfWindow() {
		var had sigaction
		if err := rtSigaction(sig, &sigaction{handler: handler}, &had); err != nil {
			h.end()
			return nil, fmt.Errorf("cannot change action of %s: %w", SignalName(sig), err)
		}
		h.actions[sig] = had
	}
	return h, nil
}

// actionsOfWindow are those of signals that the next program would die or stop of, and of those that are to end it.
func actionsOfWindow() map[syscall.Signal]uintptr {
	all := map[syscall.Signal]uintptr{
		syscall.SIGHUP: sigIgnore, syscall.SIGINT: sigIgnore, syscall.SIGTERM: sigDefault, syscall.SIGQUIT: sigDefault,
	}
	for _, sig := range stopSignals() {
		all[sig] = sigIgnore
	}
	return all
}

func (h *hushed) end() {
	for sig, had := range h.actions {
		_ = rtSigaction(sig, &had, nil)
	}
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &h.mask, nil)
}

// passOn has what waits in a channel wait for the next program: it is sent again, to this thread, which has it blocked.
func passOn(signals chan os.Signal) error {
	if signals == nil {
		return nil
	}
	settleSignals()
	var all []os.Signal
	for {
		select {
		case sig := <-signals:
			all = append(all, sig)
			continue
		default:
		}
		break
	}
	if slices.ContainsFunc(all, endsProgram) {
		for _, sig := range all {
			select {
			case signals <- sig:
			default: // full again meanwhile, as ever with too many at a time
			}
		}
		return ErrSignalled
	}
	for _, sig := range all {
		if sig, ok := sig.(syscall.Signal); ok && sig != syscall.SIGHUP {
			_ = unix.Tgkill(os.Getpid(), syscall.Gettid(), sig)
		}
	}
	return nil
}

func endsProgram(sig os.Signal) bool {
	return sig == syscall.SIGTERM || sig == syscall.SIGINT || sig == syscall.SIGQUIT
}

// settleSignals returns when every signal that the runtime has caught is in its channels. Package signal waits for that when
// somebody stops to listen.
func settleSignals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	signal.Stop(c)
}
