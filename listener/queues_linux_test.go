package listener

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// knock begins connections to an address, without waiting for an answer.
func knock(t *testing.T, address net.Addr, times int) {
	t.Helper()
	at := address.(*net.TCPAddr)
	for range times {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: at.Port, Addr: [4]byte(at.IP.To4())}); !errors.Is(err, unix.EINPROGRESS) {
			must(t, err)
		}
	}
}

// What finds no room is counted by the socket that had none. Over loopback the kernel has mostly answered when connect(2)
// returns. On a busy machine it takes many at once, drops those for which there would be room, and they come again.
func TestDropsOfFullQueues(t *testing.T) {
	for flag, steered := range map[string]int{"127.0.0.1:0,backlog=4": 1, "127.0.0.1:0,mode=shared,backlog=4": 1, "127.0.0.1:0,backlog=5": 2} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			l := open(t, 2, flag).first()
			backlog := l.Config().Backlog
			must(t, l.Steer([]Member{{0, A}, {1, A}}[:steered]))
			const knocks = 40
			before, err := l.Queues()
			if err != nil || before != (Queue{Backlog: steered * backlog}) {
				t.Fatalf("before: %+v, %v", before, err)
			}
			knock(t, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: l.Address().Port}, knocks)
			room := steered * (backlog + 1) // the kernel takes one more than it was told
			var all Queue
			eventually(t, "full queues", func() bool {
				all, err = l.Queues()
				return err != nil || all.Length >= room && all.Drops >= uint64(knocks-room)
			})
			must(t, err)
			if all.Length != room || all.Backlog != steered*backlog {
				t.Errorf("%+v, want %d that wait", all, room)
			}
			if all.Drops < uint64(knocks-room) { // and those that have come again by now
				t.Errorf("%+v, want %d drops", all, knocks-room)
			}
			sum := Queue{}
			for slot := range steered {
				q, err := l.Queue(slot, A)
				must(t, err)
				sum.Length, sum.Drops = sum.Length+q.Length, sum.Drops+q.Drops
			}
			if sum.Length != room || sum.Drops < all.Drops {
				t.Errorf("one by one %+v, together %+v", sum, all)
			}
			if q, err := l.Queue(1, B); err != nil || l.Mode() == Sharded && q.Drops != 0 {
				t.Errorf("of a socket that nobody is sent to: %+v, %v", q, err)
			}
		})
	}
}

func TestQueuesOfWhatDoesNotTell(t *testing.T) {
	for _, flag := range []string{"udp:127.0.0.1:0", "unix:" + t.TempDir() + "/x.sock"} {
		if _, err := open(t, 1, flag).first().Queues(); !errors.Is(err, ErrNoQueue) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
