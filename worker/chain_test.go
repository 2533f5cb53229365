package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// A chain replaces itself before anything else may have moved its main goroutine to another thread.
func init() {
	if os.Getenv(asEnv) == "chain" {
		runtime.LockOSThread()
	}
}

// link is what one program of a chain hands to the next.
type link struct {
	Round, Rounds int
	Binary        string // path of the kept program, where there is none any more
	Groups        *cgroup.HandedTree
	Workers       map[int]*linked
	Notify        worker.HandedNotify
	Program       worker.HandedProgram
	Tmp           worker.HandedTmpDirs
	Heard, Said   int // datagrams that came in order, and that there were
	Signals       map[string]int
	Faults        []string
}

// linked is a worker of a chain.
type linked struct {
	Process worker.HandedProcess
	Group   *cgroup.HandedGroup
	Tmp     *worker.HandedTmpDir
	Input   int // what lets it go
	Exits   []string
	Gone    int
}

// chain is a supervisor that replaces itself.
type chain struct {
	link
	signals chan os.Signal
	news    chan struct{}
	mu      sync.Mutex // guards link in callbacks

	poller  *poll.Poller
	spawner *worker.Spawner
	tree    *cgroup.Tree
	notify  *worker.Notify
	program *worker.Program
	tmp     *worker.TmpDirs
	live    map[int]*live
}

// live is a worker of a chain in this program.
type live struct {
	process *worker.Process
	group   *cgroup.Group
	tmp     *worker.TmpDir
}

// chained are the workers of each round: so many end while the program is replaced.
const chained = 4

// runChain is told how many times it is to replace itself, and whether there are control groups; or, by its forerunner, the
// descriptor of a link.
func runChain(args []string) int {
	c := &chain{signals: make(chan os.Signal, 1<<14), news: make(chan struct{}, 1), live: map[int]*live{}}
	worker.NotifySignals(c.signals, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTTIN, syscall.SIGTTOU)
	err := errors.Join(worker.SealInherited(), worker.BecomeSubreaper())
	if err == nil {
		err = c.open(args)
	}
	if err != nil {
		return failIf(err)
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- c.run(); close(stop) }()
	return failIf(errors.Join(c.spawner.Main(stop), <-done))
}

func (c *chain) open(args []string) error {
	var err error
	if c.poller, err = poll.New(); err != nil {
		return err
	}
	if c.spawner, err = worker.NewSpawner(worker.Options{Poller: c.poller}); err != nil {
		return err
	}
	if args[0] == "link" {
		return c.adopt(args[1])
	}
	c.Rounds, _ = strconv.Atoi(args[0])
	c.Workers, c.Signals = map[int]*linked{}, map[string]int{}
	if args[1] == "groups" {
		if c.tree, err = cgroup.Open(cgroup.Options{Name: "chain-" + strconv.Itoa(os.Getpid()), Poller: c.poller, Report: c.fault}); err != nil {
			return err
		}
	}
	c.tmp = worker.NewTmpDirs("chain", c.fault)
	if c.notify, err = worker.OpenNotify(c.poller, c.told); err != nil {
		return err
	}
	return c.keep(args[2])
}

// keep keeps a program whose file is gone.
func (c *chain) keep(path string) error {
	c.Binary = path
	var err error
	if c.program, err = worker.Keep([]string{path}, nil, ""); err != nil {
		return err
	}
	return os.Remove(path)
}

func (c *chain) fault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Faults = append(c.Faults, fmt.Sprintf("round %d: %v", c.Round, err))
}

// told hears numbers, and at last how many there were.
func (c *chain) told(msg handshake.Message, _ int, err error) {
	var n int
	if err == nil && msg.Stopping {
		c.note(func() { _, _ = fmt.Sscan(msg.Status, &c.Said) })
		return
	}
	if err == nil {
		_, err = fmt.Sscan(msg.Status, &n)
	}
	if err == nil && n != c.Heard {
		err = fmt.Errorf("heard %d instead of %d", n, c.Heard)
	}
	if err != nil {
		c.fault(err)
		return
	}
	c.note(func() { c.Heard++ })
}

// note changes the link, and wakes who waits for that.
func (c *chain) note(change func()) {
	c.mu.Lock()
	change()
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// await waits for a fact, and takes signals meanwhile.
func (c *chain) await(fact func() bool) {
	for {
		c.mu.Lock()
		ok := fact()
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-c.news:
		case sig := <-c.signals:
			c.note(func() { c.Signals[worker.SignalName(sig.(syscall.Signal))]++ })
		}
	}
}

func (c *chain) onExit(i int) func(worker.Exit) {
	return func(e worker.Exit) { c.note(func() { c.Workers[i].Exits = append(c.Workers[i].Exits, e.String()) }) }
}

func (c *chain) onGone(i int) func() {
	return func() {
		c.note(func() {
			c.Workers[i].Gone++
			if tmp := c.live[i].tmp; tmp != nil {
				tmp.Remove()
			}
		})
	}
}

// adopt takes over what the program before has handed.
func (c *chain) adopt(number string) error {
	fd, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "link")
	defer file.Close()
	if err := json.NewDecoder(file).Decode(&c.link); err != nil {
		return err
	}
	if c.Groups != nil {
		c.tree, err = cgroup.Open(cgroup.Options{Poller: c.poller, Report: c.fault, Handed: c.Groups})
		if err != nil {
			return err
		}
	}
	if c.tmp, err = worker.AdoptTmpDirs("chain", c.Tmp, c.fault); err != nil {
		return err
	}
	if c.program, err = worker.AdoptProgram(c.Program); err != nil {
		return err
	}
	for i, w := range c.Workers {
		if err := c.adoptWorker(i, w); err != nil {
			return err
		}
	}
	c.tmp.Settle()
	if c.tree != nil {
		c.tree.Settle()
	}
	c.notify, err = worker.AdoptNotify(c.poller, c.Notify, c.told)
	return err
}

func (c *chain) adoptWorker(i int, w *linked) error {
	if w.Gone > 0 {
		return nil
	}
	c.live[i] = &live{}
	a := worker.Adopted{OnExit: c.onExit(i), OnGone: c.onGone(i)}
	var err error
	if w.Group != nil {
		if c.live[i].group, err = c.tree.Adopt("web", groupName(i), cgroup.Limits{}, nil, *w.Group); err != nil {
			return err
		}
		a.Group = c.live[i].group
	}
	if w.Tmp != nil {
		if c.live[i].tmp, err = c.tmp.Adopt(*w.Tmp); err != nil {
			return err
		}
	}
	c.live[i].process, err = c.spawner.Adopt(w.Process, a)
	return err
}

func groupName(i int) string { return "0-a-" + strconv.Itoa(i) }

// replace writes the link down, lets some workers go, and starts the next program.
func (c *chain) replace(argv func(link int) worker.Replacement) error {
	return c.spawner.Still(func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		next := c.link
		next.Round++
		next.Notify, next.Program, next.Tmp = c.notify.Hand(), c.program.Hand(), c.tmp.Hand()
		fds := append(append(next.Notify.Descriptors(), next.Program.Descriptors()...), next.Tmp.Descriptors()...)
		if c.tree != nil {
			tree := c.tree.Hand()
			next.Groups, fds = &tree, append(fds, tree.Descriptors()...)
		}
		next.Workers = maps.Clone(c.Workers)
		for i, l := range c.live {
			w := *c.Workers[i]
			w.Process = l.process.Hand()
			if l.group != nil {
				group := l.group.Hand()
				w.Group = &group
			}
			if l.tmp != nil {
				tmp := l.tmp.Hand()
				w.Tmp = &tmp
			}
			next.Workers[i] = &w
			if w.Gone == 0 {
				fds = append(fds, &w.Input)
			}
		}
		memory, err := unix.MemfdCreate("link", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(memory)
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		if _, err := unix.Pwrite(memory, text, 0); err != nil {
			return err
		}
		r := argv(memory)
		r.Inherit, r.Signals = append(r.Inherit, memory), c.signals
		for _, fd := range fds {
			r.Inherit = append(r.Inherit, *fd)
		}
		return c.spawner.Replace(r)
	})
}

// itself is the same program again.
func itself(link int) worker.Replacement {
	return worker.Replacement{Path: "/proc/self/exe", Argv: []string{"chain", "link", strconv.Itoa(link)}, Env: os.Environ()}
}
