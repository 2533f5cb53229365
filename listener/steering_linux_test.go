package listener

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// addresses are listeners of each family, with the sources to ask from.
var addresses = []struct{ flag, reach, lane string }{
	{"127.0.0.1:0", "127.0.0.1", "127.77.0."},
	{"[::1]:0", "::1", ""},
	{"[::]:0", "127.0.0.1", "127.77.0."},
	{"[::]:0", "::1", ""},
	{":0", "127.0.0.1", "127.77.0."},
	{"0.0.0.0:0", "127.0.0.1", "127.77.0."},
	{"tcp6:*:0", "::1", ""},
}

func TestOnlySteeredShardsGetConnections(t *testing.T) {
	t.Parallel()
	for _, a := range addresses {
		for _, policy := range policyNames {
			t.Run(a.flag+" "+a.reach+" "+policy, func(t *testing.T) {
				t.Parallel()
				l := open(t, 4, a.flag+",steer="+policy).first()
				must(t, l.Steer([]Member{{0, B}, {1, A}, {3, A}}))
				for slot := range 4 {
					serve(t, l, slot, A)
				}
				serve(t, l, 0, B)
				target := net.JoinHostPort(a.reach, fmt.Sprint(l.Port(0)))
				seen := map[string]int{}
				for range 120 {
					who, err := ask(dial(target, ""))
					must(t, err)
					seen[who]++
				}
				for who := range seen {
					if !strings.Contains("0B 1A 3A", who) {
						t.Errorf("unsteered %s was reached: %v", who, seen)
					}
				}
				if policy == "random" && len(seen) != 3 {
					t.Errorf("not all were reached: %v", seen)
				}
				if policy == "client-ip" && len(seen) != 1 {
					t.Errorf("one client reached several: %v", seen)
				}
				for _, m := range []Member{{1, B}, {2, A}, {2, B}, {3, B}} {
					if q, err := l.Queue(m.Slot, m.Side); err != nil || q.Length != 0 {
						t.Errorf("queue of %v is %+v, %v", m, q, err)
					}
				}
			})
		}
	}
}

func TestLanesReachOneShard(t *testing.T) {
	t.Parallel()
	for _, a := range addresses {
		t.Run(a.flag+" "+a.reach, func(t *testing.T) {
			t.Parallel()
			const slots = 3
			l := open(t, slots, a.flag).first()
			must(t, l.Steer([]Member{{0, A}, {1, B}}))
			for slot := range slots {
				for side := range Side(sides) {
					serve(t, l, slot, side)
				}
			}
			exact(t, l, slots)
			if a.lane == "" {
				return
			}
			for _, lane := range []struct {
				k    int
				want string
			}{{0, "0A"}, {1, "1B"}, {2, "0A 1B"}, {200, "0A 1B"}} {
				who, err := ask(dial(net.JoinHostPort(a.reach, fmt.Sprint(l.Port(0))), a.lane+fmt.Sprint(lane.k)))
				must(t, err)
				if !strings.Contains(lane.want, who) {
					t.Errorf("lane of slot %d leads to %s, want %s", lane.k, who, lane.want)
				}
			}
		})
	}
}

// exact dials every place, and several times, because a wrong program hits by chance.
func exact(t *testing.T, l *Listener, slots int) {
	t.Helper()
	for range 3 {
		for slot := range slots {
			for side := range Side(sides) {
				want := fmt.Sprintf("%d%s", slot, side)
				who, err := ask(l.Dial(deadline(t), slot, side))
				must(t, err)
				if who != want {
					t.Errorf("Dial to %s reaches %s", want, who)
				}
			}
		}
	}
}

func TestNobodyReadyKeepsConnectionsWaiting(t *testing.T) {
	t.Parallel()
	l := open(t, 2, "127.0.0.1:0").first()
	must(t, l.Steer([]Member{{1, B}}))
	must(t, l.Steer(nil))
	conn, err := dial(l.testTarget(), "")
	must(t, err)
	serve(t, l, 1, B)
	if who, err := ask(conn, nil); err != nil || who != "1B" {
		t.Errorf("got %q, %v, want 1B", who, err)
	}
}

func TestClientsStayWithTheirSlot(t *testing.T) {
	t.Parallel()
	l := open(t, 4, "127.0.0.1:0,steer=client-ip").first()
	for slot := range 4 {
		serve(t, l, slot, A)
	}
	where := func() map[int]string {
		at := map[int]string{}
		for client := range 60 {
			who, err := ask(dial(l.testTarget(), fmt.Sprintf("127.1.0.%d", client+1)))
			must(t, err)
			at[client] = who
		}
		return at
	}
	before := where()
	must(t, l.Steer([]Member{{0, A}, {1, A}, {3, A}}))
	for client, now := range where() {
		if was := before[client]; (was != now) != (was == "2A") {
			t.Errorf("client %d was with %s and is with %s", client, was, now)
		}
	}
}

// TestLoad steers and grows as fast as it can for a second while clients connect. Nothing may be lost, and nothing may
// reach the shard that is never steered.
func TestLoad(t *testing.T) {
	t.Parallel()
	const slots, clients = 3, 8
	h := open(t, slots, "127.0.0.1:0")
	l := h.first()
	stop := make(chan struct{})
	var asked, lost, strays atomic.Int64
	var all sync.WaitGroup
	for slot := range slots - 1 {
		serve(t, l, slot, A)
		serve(t, l, slot, B)
	}
	serveWith(t, l, slots-1, A, func(net.Conn) { strays.Add(1) })
	must(t, l.Steer([]Member{{0, A}, {1, A}}))
	for range clients {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				asked.Add(1)
				if _, err := ask(dial(l.testTarget(), "")); err != nil {
					lost.Add(1)
				}
			}
		})
	}
	swaps, grown := 0, slots
	for end := time.Now().Add(time.Second); time.Now().Before(end); swaps++ {
		must(t, l.Steer([]Member{{0, Side(swaps & 1)}, {1, Side(swaps >> 1 & 1)}}))
		if swaps%50 == 0 && grown < 100 {
			grown++
			must(t, h.first().Grow(grown))
		}
		runtime.Gosched()
	}
	close(stop)
	all.Wait()
	t.Logf("%d connections, %d swaps, %d slots", asked.Load(), swaps, grown)
	if lost.Load() != 0 || strays.Load() != 0 {
		t.Errorf("%d of %d lost, %d strayed", lost.Load(), asked.Load(), strays.Load())
	}
	serve(t, l, grown-1, B)
	if who, err := ask(l.Dial(deadline(t), grown-1, B)); err != nil || who != fmt.Sprintf("%dB", grown-1) {
		t.Errorf("the last shard answers %q, %v", who, err)
	}
}

func TestThousandSlots(t *testing.T) {
	t.Parallel()
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	require(t, limit.Cur > 4096, "a limit of 4096 open files")
	const slots = 1000
	l := open(t, slots, "127.0.0.1:0").first()
	var members []Member
	for slot := range slots {
		members = append(members, Member{slot, Side(scatter(uint32(slot)) & 1)})
	}
	must(t, l.Steer(members))
	for _, m := range []Member{{0, A}, {0, B}, {127, B}, {500, A}, {999, A}, {999, B}} {
		serve(t, l, m.Slot, m.Side)
		want := fmt.Sprintf("%d%s", m.Slot, m.Side)
		if who, err := ask(l.Dial(deadline(t), m.Slot, m.Side)); err != nil || who != want {
			t.Errorf("Dial to %s reaches %q, %v", want, who, err)
		}
	}
}

// TestLanesOfOtherAddresses looks at addresses that are not on the loopback interface, in a network of its own.
func TestLanesOfOtherAddresses(t *testing.T) {
	require(t, os.Geteuid() == 0, "root")
	runtime.LockOSThread() // never unlocked: the thread ends with the test, and with it its network
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	for _, words := range []string{
		"link set lo up", "addr add 192.0.2.7/32 dev lo", "addr add 2001:db8::7/128 dev lo nodad",
		"-6 route replace local 2001:db8::7/128 dev lo table local", // the kernel adds it as well, but when it has the time
	} {
		if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", words, err, out)
		}
	}
	for _, flag := range []string{"192.0.2.7:8080", "[2001:db8::7]:8080"} {
		l := open(t, 3, flag).first()
		for slot := range 3 {
			serve(t, l, slot, A)
			serve(t, l, slot, B)
		}
		exact(t, l, 3)
	}
}
