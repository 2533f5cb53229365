package supervisor

import (
	"sync"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
)

// gaugeAge is how old the figures of control groups may be. They are read only when somebody asks.
const gaugeAge = 2 * time.Second

// gauge reads what workers use, for those who ask for the status; never on the loop, whose part is said alone.
type gauge struct {
	said map[string]bool // limits of which it is known that they do not hold

	mu     sync.Mutex
	read   time.Time
	usage  map[Group]*UsageView
	strain map[string]*PressureView
}

func (g *gauge) say(word string) {
	if g.said == nil {
		g.said = map[string]bool{}
	}
	g.said[word] = true
}

// fill adds the figures to a snapshot that nobody else has.
func (g *gauge) fill(groups Groups, snap *Snapshot) {
	if groups == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.read) > gaugeAge {
		g.readLocked(groups, snap)
		g.read = time.Now()
	}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		p.Pressure = g.strain[p.Name]
		for j := range p.Workers {
			p.Workers[j].Usage = g.usage[p.Workers[j].group]
		}
	}
}

func (g *gauge) readLocked(groups Groups, snap *Snapshot) {
	g.usage, g.strain = map[Group]*UsageView{}, map[string]*PressureView{}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		if s, err := groups.Pressure(p.Name); err == nil { // kernels without it are no news
			g.strain[p.Name] = &PressureView{Memory: viewShare(s.Memory), CPU: viewShare(s.CPU)}
		}
		for j := range p.Workers {
			group := p.Workers[j].group
			if group == nil {
				continue
			}
			if u, ok := group.Usage(); ok {
				g.usage[group] = &UsageView{Memory: u.Memory, MemoryPeak: u.MemoryPeak, CPU: u.CPU.Seconds(), Pids: u.Pids}
			}
		}
	}
}

func viewShare(p cgroup.Pressure) ShareView {
	return ShareView{Some10: p.Some.Avg10, Some60: p.Some.Avg60, Full10: p.Full.Avg10, Full60: p.Full.Avg60}
}
