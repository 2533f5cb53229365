package listener

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hearOn connects on a thread that is pinned to one CPU, which the request then arrives on, and reads who answers.
func hearOn(l *Listener, cpu int) (who string, err error) {
	to := l.end
	to.ip = l.end.loopback()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var set unix.CPUSet
		set.Set(cpu)
		if err = unix.SchedSetaffinity(0, &set); err != nil {
			return
		}
		var fd int
		if fd, err = newClient(to); err == nil {
			who, err = hear(fd)
			_ = unix.Close(fd)
		}
	}()
	<-done
	return who, err
}

func allowedCPUs(t *testing.T) (all []int) {
	t.Helper()
	var set unix.CPUSet
	must(t, unix.SchedGetaffinity(0, &set))
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			all = append(all, cpu)
		}
	}
	return all
}

func TestConnectionsStayOnTheirCPU(t *testing.T) {
	t.Parallel()
	cpus := allowedCPUs(t)
	require(t, len(cpus) >= 2, "two CPUs")
	first, last := cpus[0], cpus[len(cpus)-1]
	tests := []struct {
		name     string
		pins     [][]int // of slots 0..3; the worker of slot 3 is on side B
		onFirst  string
		onLast   string
		everyone bool // each of those is reached
	}{
		{name: "one each", pins: [][]int{{first}, {last}}, onFirst: "0A", onLast: "1A"},
		{name: "the other way round", pins: [][]int{{last}, {first}}, onFirst: "1A", onLast: "0A"},
		{name: "two each", pins: [][]int{{first}, {last}, {first}, {last}}, onFirst: "0A 2A", onLast: "1A 3B", everyone: true},
		{name: "one on both", pins: [][]int{{first}, {first, last}}, onFirst: "0A 1A", onLast: "1A", everyone: true},
		{name: "nobody on the last", pins: [][]int{{first}, {first}}, onFirst: "0A 1A", onLast: "0A 1A", everyone: true},
		{name: "some are not pinned", pins: [][]int{{first}, nil, nil}, onFirst: "0A", onLast: "1A 2A", everyone: true},
		{name: "nobody is pinned", pins: [][]int{nil, nil}, onFirst: []string{"0A", "1A"}[first%2], onLast: []string{"0A", "1A"}[last%2]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t, len(tt.pins), "127.0.0.1:0,steer=cpu,queue-aware=false").first()
			var members []Member
			for slot, cpus := range tt.pins {
				m := Member{slot, A}
				if slot == 3 {
					m.Side = B
				}
				must(t, l.Pin(m.Slot, m.Side, cpus))
				members = append(members, m)
			}
			must(t, l.Steer(members))
			for _, m := range members {
				serve(t, l, m.Slot, m.Side)
			}
			for cpu, want := range map[int]string{first: tt.onFirst, last: tt.onLast} {
				seen := map[string]int{}
				for range 40 {
					who, err := hearOn(l, cpu)
					must(t, err)
					seen[who]++
				}
				for who := range seen {
					if !strings.Contains(want, who) {
						t.Errorf("from CPU %d %s was reached, want %s alone: %v", cpu, who, want, seen)
					}
				}
				if tt.everyone && len(seen) != len(strings.Fields(want)) {
					t.Errorf("from CPU %d not all of %s were reached: %v", cpu, want, seen)
				}
			}
		})
	}
}

// hear reads who answers on a socket of knockAt.
func hear(fd int) (string, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for end := time.Now().Add(patience); ; {
		_, err := unix.Poll(fds, int(time.Until(end).Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		var b [8]byte
		n, err := unix.Read(fd, b[:])
		return string(b[:max(n, 0)]), err
	}
}

func TestPinRefuses(t *testing.T) {
	t.Parallel()
	l := open(t, 2, "127.0.0.1:0").first()
	for _, err := range []error{l.Pin(2, A, nil), l.Pin(0, 2, nil), l.Pin(0, A, []int{-1}), l.Pin(0, A, []int{1 << 20})} {
		if err == nil {
			t.Error("a pin that cannot be is taken")
		}
	}
	must(t, l.Pin(1, B, []int{0, 0, 3}))
	shared := open(t, 2, "127.0.0.1:0,mode=shared").first()
	must(t, shared.Pin(7, B, []int{0}))
}
