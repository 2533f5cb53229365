package testetcd

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

type member struct {
	t            testing.TB
	name, dir    string
	client, peer string
	argv         []string

	mu      sync.Mutex
	running *running // or nil
	said    output   // of all its processes
}

// running is one process of a member.
type running struct {
	process *os.Process
	done    chan struct{} // closed when it has ended
	ready   *net.UnixConn // where it says that it is
	dir     string        // of that socket
	isReady atomic.Bool   // it has said so
}

func (m *member) start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running != nil {
		return fmt.Errorf("member %s runs already", m.name)
	}
	dir, err := os.MkdirTemp("", "etcd") // not below the test's: the path of a socket has at most 107 bytes
	if err != nil {
		return err
	}
	notify := filepath.Join(dir, "notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	r := &running{done: make(chan struct{}), ready: ready, dir: dir}
	cmd := exec.Command("etcd", m.argv...)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify)
	cmd.Stdout, cmd.Stderr = &m.said, &m.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel kills it with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		r.process = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(r.done)
	}()
	if err := <-started; err != nil {
		return errors.Join(err, ready.Close(), os.RemoveAll(dir))
	}
	m.running = r
	return nil
}

func (m *member) awaitReady() error {
	m.mu.Lock()
	r := m.running
	m.mu.Unlock()
	if r == nil {
		return fmt.Errorf("member %s was not started", m.name)
	}
	if r.isReady.Load() {
		return nil
	}
	if err := r.ready.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	word := make([]byte, 256)
	for {
		n, err := r.ready.Read(word)
		switch {
		case err != nil:
			return fmt.Errorf("member %s did not get ready: %w", m.name, err)
		case bytes.Contains(word[:n], []byte("READY=1")):
			r.isReady.Store(true)
			return nil
		}
	}
}

func (m *member) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.running
	if r == nil {
		return
	}
	m.running = nil
	_ = r.process.Kill() // it may have ended by itself
	<-r.done
	if err := errors.Join(r.ready.Close(), os.RemoveAll(r.dir)); err != nil {
		m.t.Error(err)
	}
}

func (m *member) signal(signal os.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running != nil {
		_ = m.running.process.Signal(signal) // it may have ended by itself
	}
}

func (m *member) log() string { return m.said.String() }

// output keeps what processes write.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
