package etcd_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/broodctl/brood/internal/lease/remote"
	"github.com/broodctl/brood/internal/testetcd"
	"github.com/broodctl/brood/internal/testhost"
)

var (
	faults = flag.Int("faults", 20, "how many faults are injected")
	seed   = flag.Uint64("seed", 0, "of the faults; 0 for another one each time")
)

// round is after how many faults all has to be well again: before that there is little left that more could break.
const round = 20

// Whatever happens to holders, their network and etcd, no place has two users at any instant, and when it is over all
// places are used again.
func TestFaults(t *testing.T) {
	testhost.Need(t, testhost.Program("etcd"))
	t.Parallel() // both tests wait most of the time
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	f := &fleet{t: t, observer: newObserver(), random: rand.New(rand.NewPCG(*seed, 0)), did: map[string]int{}}
	f.cluster = testetcd.Start(t, testetcd.Config{Members: 3})
	for i := range 6 {
		f.processes = append(f.processes, f.start(fmt.Sprintf("h%d", i)))
	}
	f.observer.awaitAll(t, 0, testetcd.Patience)
	for n := 1; n <= *faults; n++ {
		f.fault()
		f.wait(100*time.Millisecond + time.Duration(f.random.Int64N(int64(400*time.Millisecond))))
		if n%round == 0 || n == *faults {
			f.repairs.Wait()
			f.observer.awaitAll(t, remote.Boottime{}.Now(), testetcd.Patience)
		}
	}
	for _, p := range f.processes {
		p.kill()
	}
	f.observer.judge(t)
	t.Logf("seed %d: %d faults %v, %d uses", *seed, *faults, f.did, len(f.observer.uses))
}

// fleet is the cluster and those who hold places in it.
type fleet struct {
	t         *testing.T
	cluster   *testetcd.Cluster
	observer  *observer
	random    *rand.Rand
	processes []*process
	repairs   sync.WaitGroup // of faults that end by themselves
	members   sync.Mutex     // one fault of members at a time
	did       map[string]int
}

// process is a holder with a way of its own to each member.
type process struct {
	who   string
	cmd   *exec.Cmd
	ways  []*testetcd.Way
	ended sync.WaitGroup
}

func (f *fleet) start(who string) *process {
	f.t.Helper()
	p := &process{who: who}
	var endpoints []string
	for _, e := range f.cluster.Endpoints() {
		w := testetcd.NewWay(f.t, e)
		p.ways = append(p.ways, w)
		endpoints = append(endpoints, w.Endpoint())
	}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), holderVariable+"="+who+" "+strings.Join(endpoints, ","))
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, out := io.Pipe()
	p.cmd.Stdout = out
	p.ended.Go(func() { f.observer.listen(who, said) })
	started := make(chan error)
	p.ended.Go(func() {
		// The kernel kills it with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait()
		}
		out.Close()
	})
	if err := <-started; err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be dead
	p.ended.Wait()
}

// fault does one.
func (f *fleet) fault() {
	i := f.victim()
	p := f.processes[i]
	// A place is given again after two leases, or three.
	long := holderLease/2 + time.Duration(f.random.Int64N(int64(4*holderLease)))
	kinds := []struct {
		name string
		do   func()
	}{
		{"holder killed", func() {
			p.kill()
			f.processes[i] = f.start(p.who + "'")
		}},
		{"holder frozen", func() {
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			f.later(long, func() { _ = p.cmd.Process.Signal(syscall.SIGCONT) })
		}},
		{"holder cut off", func() {
			for _, w := range p.ways {
				w.Cut()
			}
			f.later(long, p.join)
		}},
		{"answers cut off", func() {
			for _, w := range p.ways {
				w.CutAnswers()
			}
			f.later(long, p.join)
		}},
		{"leader killed", func() {
			f.member(func(leader int) {
				f.cluster.Kill(leader)
				f.wait(long / 4)
				f.cluster.Begin(leader)
				f.cluster.AwaitReady(leader)
			})
		}},
		{"leader frozen", func() {
			f.member(func(leader int) {
				f.cluster.Freeze(leader)
				f.wait(long / 2)
				f.cluster.Thaw(leader)
			})
		}},
		{"all members restarted", func() {
			f.member(func(int) {
				for m := range f.cluster.Endpoints() {
					f.cluster.Kill(m)
				}
				for m := range f.cluster.Endpoints() {
					f.cluster.Begin(m)
				}
				for m := range f.cluster.Endpoints() {
					f.cluster.AwaitReady(m)
				}
			})
		}},
		{"history compacted", f.compact},
	}
	// Holders are easier to hurt than etcd, and more often are.
	kind := kinds[[]int{0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7}[f.random.IntN(12)]]
	f.did[kind.name]++
	kind.do()
}

// victim is a holder that uses a place if there is one: others have nothing to lose.
func (f *fleet) victim() int {
	i := f.random.IntN(len(f.processes))
	for n := range f.processes {
		if j := (i + n) % len(f.processes); f.observer.using(f.processes[j].who) {
			return j
		}
	}
	return i
}

func (p *process) join() {
	for _, w := range p.ways {
		w.Join()
	}
}

// member does something to the leader, while holders have faults of their own.
func (f *fleet) member(do func(leader int)) {
	f.repairs.Go(func() {
		f.members.Lock()
		defer f.members.Unlock()
		do(max(f.cluster.Leader(), 0))
	})
}

func (f *fleet) later(d time.Duration, do func()) {
	f.repairs.Go(func() {
		f.wait(d)
		do()
	})
}

// wait lets a fault last.
func (f *fleet) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// compact has etcd forget all that was: watches that are behind are interrupted.
func (f *fleet) compact() {
	f.repairs.Go(func() {
		c, err := clientv3.New(clientv3.Config{Endpoints: f.cluster.Endpoints(), Logger: zap.NewNop()})
		if err != nil {
			f.t.Error(err)
			return
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Second)
		defer cancel()
		if r, err := c.Get(ctx, "x"); err == nil {
			_, _ = c.Compact(ctx, r.Header.Revision) // members may be down
		}
	})
}
