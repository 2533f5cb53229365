package testhost

import (
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Manager plays the service manager to whom descriptors are given to keep: see FDSTORE= in sd_notify(3).
type Manager struct {
	// Address is the value of NOTIFY_SOCKET.
	Address string

	conn *net.UnixConn
	done chan struct{}

	mu   sync.Mutex
	kept map[string][]int
}

// NewManager starts one, which ends with the test and closes what it keeps.
func NewManager(t testing.TB) *Manager {
	t.Helper()
	m := &Manager{Address: t.TempDir() + "/notify", done: make(chan struct{}), kept: map[string][]int{}}
	var err error
	if m.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.Address, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	go m.run()
	t.Cleanup(func() {
		_ = m.conn.Close()
		<-m.done
		closeAll(slices.Concat(slices.Collect(maps.Values(m.kept))...))
	})
	return m
}

// Kept are the descriptors that it keeps now, by name. They stay its own.
func (m *Manager) Kept() map[string][]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.kept)
}

func (m *Manager) run() {
	defer close(m.done)
	const most = 253 // SCM_MAX_FD of include/net/scm.h
	text, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4*most))
	for {
		n, r, _, _, err := m.conn.ReadMsgUnix(text, rights)
		if err != nil {
			return
		}
		var fds []int
		if messages, err := unix.ParseSocketControlMessage(rights[:r]); err == nil && len(messages) == 1 {
			fds, _ = unix.ParseUnixRights(&messages[0])
		}
		m.hear(string(text[:n]), fds)
	}
}

func (m *Manager) hear(said string, fds []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, name, _ := strings.Cut(said, "FDNAME=")
	name, _, _ = strings.Cut(name, "\n")
	switch {
	case strings.HasPrefix(said, "FDSTORE=1\n"):
		m.kept[name] = append(slices.Clone(m.kept[name]), fds...)
		return
	case strings.HasPrefix(said, "FDSTOREREMOVE=1\n"):
		closeAll(m.kept[name])
		delete(m.kept, name)
	}
	closeAll(fds) // of BARRIER=1 too
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
