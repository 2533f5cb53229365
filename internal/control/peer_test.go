package control

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPeerIsWhoListensWhateverItSays(t *testing.T) {
	client := start(t, &fake{})
	if snap, err := client.Status(t.Context()); err != nil || snap.PID == os.Getpid() {
		t.Fatalf("the fake is to lie about its pid: %v", err)
	}
	peer, err := client.Peer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(peer.PIDFD)
	if peer.PID != os.Getpid() {
		t.Errorf("pid %d, want %d", peer.PID, os.Getpid())
	}
	if err := unix.PidfdSendSignal(peer.PIDFD, 0, nil, 0); err != nil {
		t.Errorf("not a pidfd: %v", err)
	}
	if _, err := NewClient(filepath.Join(t.TempDir(), "none.sock")).Peer(t.Context()); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("nobody: %v", err)
	}
}

// TestPidfdOfAnOldKernel is about the way without SO_PEERPIDFD: a number counts only while its connection is up.
func TestPidfdOfAnOldKernel(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	pidfd, err := openPidfd(pair[0], os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(pidfd)
	_ = unix.Close(pair[1])
	if _, err := openPidfd(pair[0], os.Getpid()); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("after the other end has closed: %v", err)
	}
}
