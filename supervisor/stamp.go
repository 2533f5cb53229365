package supervisor

import (
	"time"

	"github.com/broodctl/brood/worker"
)

// stamp is a time that means the same to another program in our place: nanoseconds of CLOCK_BOOTTIME, which nobody sets
// and which counts while the machine sleeps; see clock_gettime(2). 0 is no time.
type stamp int64

// clock translates between stamps and the times of this program.
type clock struct {
	now  time.Time
	boot stamp
}

func readClock() clock {
	return clock{now: time.Now(), boot: stamp(worker.BootTime())}
}

// of is the stamp of a time.
func (c clock) of(t time.Time) stamp {
	if t.IsZero() {
		return 0
	}
	return c.boot + stamp(t.Sub(c.now))
}

// time is that of a stamp.
func (c clock) time(s stamp) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return c.now.Add(time.Duration(s - c.boot))
}

// until is how long it is until a stamp; less than 0 if that is over.
func (c clock) until(s stamp) time.Duration { return time.Duration(s - c.boot) }
