package top

import (
	"math"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// meter makes shares of a CPU out of CPU times. It is never changed: see take.
type meter map[process]sample

// process is a process, also when its pid comes again.
type process struct {
	pool    string
	pid     int
	started int64 // in ns
}

// sample is how much CPU time a process had used at some time, and the share of a CPU that this came to.
type sample struct {
	seconds float64
	at      time.Time
	percent float64
	known   bool
}

// leastSpan is between two measurements that a share is made of: what lies closer together says nothing, because the kernel
// counts in hundredths of a second.
const leastSpan = 500 * time.Millisecond

// take returns the meter with the CPU times of a snapshot. Who is gone is forgotten.
func (m meter) take(snap supervisor.Snapshot) meter {
	next, at := meter{}, snap.Measured
	for i := range snap.Pools {
		p := &snap.Pools[i]
		for j := range p.Workers {
			w := &p.Workers[j]
			if w.Usage == nil || w.PID == 0 {
				continue
			}
			key := keyOf(p.Name, w)
			old, ok := m[key]
			switch span := at.Sub(old.at); {
			case !ok:
				next[key] = sample{seconds: w.Usage.CPU, at: at}
			case span < leastSpan: // or the same measurement once more
				next[key] = old
			default:
				// It falls when a process of the worker ends that somebody else waits for.
				percent := max(0, math.Round((w.Usage.CPU-old.seconds)/span.Seconds()*1000)/10)
				next[key] = sample{seconds: w.Usage.CPU, at: at, percent: percent, known: true}
			}
		}
	}
	return next
}

// share is in percent of one CPU, nil until there were two measurements.
func (m meter) share(pool string, w *supervisor.WorkerView) *float64 {
	if s := m[keyOf(pool, w)]; s.known {
		return new(s.percent)
	}
	return nil
}

func keyOf(pool string, w *supervisor.WorkerView) process {
	return process{pool: pool, pid: w.PID, started: w.Started.UnixNano()}
}
