package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait for something that takes moments.
const patience = 60 * time.Second

// kind is a way to keep workers alive.
type kind struct {
	name  string
	brood bool
	flags []string // of brood run

	stdout *os.File // nil is /dev/null
}

var errEnded = errors.New("the supervisor ended")

// The ways that are compared. Without a socket brood executes the worker
// directly; with one, through the shim that sets LISTEN_PID.
func floorKind() kind { return kind{name: "floor"} }

func directKind(flags ...string) kind {
	return kind{name: "brood", brood: true, flags: flags}
}

func shimKind(flags ...string) kind {
	return kind{name: "brood -l", brood: true, flags: append([]string{"-l", "127.0.0.1:0"}, flags...)}
}

// keeper is a running parent of workers.
type keeper struct {
	cmd     *exec.Cmd
	control string
	begun   int64 // before it was forked
	exited  chan struct{}
	ended   int64 // when its end was seen
	errs    bytes.Buffer
	notify  *net.UnixConn
}

// keep starts n workers of a program. What brood tells a service manager is heard
// only where ready is asked for, and is left out where a start is measured.
func (t tools) keep(k kind, n int, env []string, listen hearing, program ...string) (*keeper, error) {
	p := &keeper{exited: make(chan struct{}), control: filepath.Join(t.dir, "control.sock")}
	argv := append([]string{t.floor, strconv.Itoa(n)}, program...)
	if k.brood {
		argv = append([]string{t.brood, "run", "--name", "bench", "--control", p.control, "-n", strconv.Itoa(n), "--log-level", "error"}, k.flags...)
		argv = append(append(argv, "--"), program...)
	}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Env = append(os.Environ(), env...)
	if k.stdout != nil {
		p.cmd.Stdout = k.stdout
	}
	p.cmd.Stderr = &p.errs
	// A bench that is killed takes its supervisors with it, and these their workers.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if listen == hear && k.brood {
		if err := p.listen(filepath.Join(t.dir, "notify.sock")); err != nil {
			return nil, err
		}
	}
	p.begun = monotonic()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", k.name, err)
	}
	go func() {
		_ = p.cmd.Wait() // stop looks at the verdict
		p.ended = monotonic()
		close(p.exited)
	}()
	return p, nil
}

// hearing says whether READY=1 is waited for.
type hearing uint8

const (
	deaf hearing = iota
	hear
)

func (p *keeper) listen(path string) error {
	_ = os.Remove(path) // of the keeper before
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		return fmt.Errorf("cannot listen for readiness: %w", err)
	}
	p.notify = conn
	p.cmd.Env = append(p.cmd.Env, "NOTIFY_SOCKET="+path)
	return nil
}

// awaitReady waits until brood says that every worker is ready.
func (p *keeper) awaitReady() error {
	if p.notify == nil {
		return nil
	}
	if err := p.notify.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("cannot wait for readiness: %w", err)
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := p.notify.Read(buf)
		if err != nil {
			return errors.Join(fmt.Errorf("cannot wait for readiness: %w", err), p.complaint())
		}
		if strings.Contains("\n"+string(buf[:n])+"\n", "\nREADY=1\n") {
			// Nobody reads on: what brood tells from here must not fill the queue.
			return p.notify.Close()
		}
	}
}

func (p *keeper) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return errors.Join(fmt.Errorf("cannot signal the supervisor: %w", err), p.complaint())
	}
	return nil
}

// stop ends it and returns how long that took. The third attempt is SIGKILL.
func (p *keeper) stop() (time.Duration, error) {
	begin := monotonic()
	if p.notify != nil {
		_ = p.notify.Close() // awaitReady may have done so
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = p.cmd.Process.Signal(sig) // it may have ended
		select {
		case <-p.exited:
			if !p.cmd.ProcessState.Success() {
				return 0, p.complaint()
			}
			return time.Duration(p.ended - begin), nil
		case <-time.After(patience):
		}
	}
	return 0, fmt.Errorf("cannot end the supervisor: %w", p.complaint())
}

// complaint is what the supervisor wrote, once it has ended.
func (p *keeper) complaint() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%w: %v\n%s", errEnded, p.cmd.ProcessState, p.errs.Bytes())
	default:
		return nil
	}
}

// verb runs a control command of brood.
func (t tools) verb(p *keeper, words ...string) error {
	argv := append([]string{words[0], "--control", p.control}, words[1:]...)
	if out, err := exec.Command(t.brood, argv...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot run brood %v: %w\n%s", words, err, out)
	}
	return nil
}
