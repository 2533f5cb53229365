package worker_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

type heard struct {
	msg    handshake.Message
	sender int
	err    error
}

func openNotify(t *testing.T) (*worker.Notify, chan heard) {
	t.Helper()
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	news := make(chan heard, 100)
	n, err := worker.OpenNotify(p, func(m handshake.Message, sender int, err error) { news <- heard{m, sender, err} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, news
}

func send(t *testing.T, address, text string, fds ...int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	if err := unix.Sendmsg(fd, []byte(text), rights, &unix.SockaddrUnix{Name: address}, 0); err != nil {
		t.Fatal(err)
	}
}

func TestNotify(t *testing.T) {
	n, news := openNotify(t)
	if !strings.HasPrefix(n.Address(), "@brood-") || len(n.Address()) != len("@brood-")+32 {
		t.Errorf("address %q", n.Address())
	}
	send(t, n.Address(), "READY=1\nSTATUS=fine")
	send(t, n.Address(), "nonsense")
	send(t, n.Address(), strings.Repeat("x", handshake.MaxMessage+1000))
	send(t, n.Address(), "STOPPING=1")
	var got []handshake.Message
	var bad []bool
	for range 4 {
		h := <-news
		if h.sender != os.Getpid() {
			t.Errorf("sender %d", h.sender)
		}
		got, bad = append(got, h.msg), append(bad, errors.Is(h.err, handshake.ErrMalformed))
	}
	want := []handshake.Message{{Ready: true, Status: "fine"}, {}, {}, {Stopping: true}}
	if diff := cmp.Diff(want, got) + cmp.Diff([]bool{false, true, true, false}, bad); diff != "" {
		t.Error(diff)
	}
}

// A flood is heard to its end although one wake-up reads only a part.
func TestNotifyFlood(t *testing.T) {
	n, news := openNotify(t)
	const many = 200 // the kernel queues a few and lets the sender wait for the rest
	go func() {
		for range many {
			send(t, n.Address(), "WATCHDOG=1")
		}
	}()
	for range many {
		if h := <-news; !h.msg.Watchdog {
			t.Fatalf("got %+v", h)
		}
	}
}

// Descriptors that a worker sends do not pile up here: closing them is also what
// a barrier waits for.
func TestNotifyClosesDescriptors(t *testing.T) {
	n, news := openNotify(t)
	r, w := newPipe(t)
	send(t, n.Address(), "BARRIER=1", w)
	_ = unix.Close(w)
	if h := <-news; h.err != nil || len(h.msg.Unknown) != 1 {
		t.Errorf("got %+v", h)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil { // ends only if nobody has w
		t.Errorf("read %d, %v", n, err)
	}
}

func TestNotifyFromAWorker(t *testing.T) {
	n, news := openNotify(t)
	s := newSpawner(t)
	cmd := helper(t, "tell-ready")
	cmd.Env = append(cmd.Env, handshake.EnvNotifySocket+"="+n.Address())
	p := launch(t, s, cmd)
	if h := <-news; !h.msg.Ready || h.sender != p.PID() {
		t.Errorf("got %+v, want ready from %d", h, p.PID())
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
