package require

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/redact"
)

// connectTimeout ends one attempt to connect. Where packets are thrown away without an answer a connect takes minutes,
// and the host may be there again in the next second.
const connectTimeout = 5 * time.Second

// World is what the requirements of one pool are checked against.
type World struct {
	// Getenv looks into the environment that a worker will get, which is not the supervisor's. Nil has no variables.
	Getenv func(name string) (string, bool)
	// Dir is where relative paths begin; empty is the current directory.
	Dir string
	// Run runs a shell command to its end, which comes at the latest with the context, and returns nil if its status
	// was 0. One process must have one reaper, so it goes through the supervisor's spawner. Without it exec
	// requirements fail.
	Run func(ctx context.Context, command string) error
}

var (
	errTimeout  = errors.New("timed out")
	errSelf     = errors.New("the connection led back to itself")
	errNoRunner = errors.New("no commands can be run here")
)

// Check tries once. It returns nil if the requirement holds, and at the latest with the context.
func (r Requirement) Check(ctx context.Context, w World) error {
	switch r.kind {
	case kindTCP:
		return r.answer(connectTCP(ctx, r.target))
	case kindUnix:
		return r.answer(connectUnix(ctx, r.target))
	case kindEnv:
		return checkEnv(w, r.target)
	case kindFile:
		return checkFile(w.Dir, r.target)
	case kindExec:
		return runCommand(ctx, w, r.target)
	}
	return errors.New("a requirement that was not parsed never holds")
}

func (r Requirement) answer(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s does not answer: %w", r, cause(err))
}

func connectTCP(ctx context.Context, address string) error {
	d := net.Dialer{Timeout: connectTimeout}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if !toItself(conn) {
		return nil
	}
	// Without this the connection would keep the port in TIME_WAIT, from the very server that is awaited.
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return errSelf
}

// toItself reports whether both ends are one socket: a simultaneous open with itself, see RFC 9293, section 3.5. The
// net package tries again when that happens, but only twice.
func toItself(conn net.Conn) bool { return conn.LocalAddr().String() == conn.RemoteAddr().String() }

// connectUnix tries the types of unix sockets. A socket of another type answers EPROTOTYPE.
func connectUnix(ctx context.Context, path string) error {
	d := net.Dialer{Timeout: connectTimeout}
	var err error
	for _, network := range []string{"unix", "unixgram", "unixpacket"} {
		var conn net.Conn
		if conn, err = d.DialContext(ctx, network, path); err == nil {
			return conn.Close()
		}
		if !errors.Is(err, syscall.EPROTOTYPE) {
			return err
		}
	}
	return err
}

func checkEnv(w World, name string) error {
	value, set := "", false
	if w.Getenv != nil {
		value, set = w.Getenv(name)
	}
	switch {
	case !set:
		return fmt.Errorf("environment variable %s is not set", name)
	case value == "":
		return fmt.Errorf("environment variable %s is empty", name)
	}
	return nil
}

func checkFile(dir, path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	// Opening a named pipe would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("file %s cannot be read: %w", path, cause(err))
	}
	return f.Close()
}

func runCommand(ctx context.Context, w World, command string) error {
	if w.Run == nil {
		return fmt.Errorf("command %q cannot be tried: %w", redact.Text(command), errNoRunner)
	}
	if err := w.Run(ctx, command); err != nil {
		return fmt.Errorf("command %q fails: %w", redact.Text(command), oneLine{cause(err)})
	}
	return nil
}

// cause finds the shortest error that still says what happened: the chains of package net repeat the address, which
// the requirement names already.
func cause(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return errTimeout
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("cannot look up %s: %s", dns.Name, dns.Err)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}

// oneLine shows an error, which may hold the output of a command, in one line.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

func (e oneLine) Unwrap() error { return e.error }
