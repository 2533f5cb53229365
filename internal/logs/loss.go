package logs

import (
	"sync"
	"time"
)

const (
	// sayAfter is how much may come together before a trouble is said.
	sayAfter = 10 * time.Millisecond
	// calm is how long nothing may happen until a trouble is over.
	calm = 5 * time.Second
	// repeat is how often one that goes on is said again.
	repeat = time.Minute
)

// Trouble is output that does not get where it should. It is said when it begins, once a minute while more is lost, and
// when it is over.
type Trouble struct {
	Pool  string // "" for what is shared by pools
	Where string // stdout, stderr, journald, or the path of a file
	Err   error  // nil: lines come faster than they are taken
	// Lines and Bytes are lost since it began.
	Lines, Bytes uint64
	Over         bool
}

// episode is the trouble of one destination, from beginning to end.
type episode struct {
	say         func(Trouble)
	pool, where string

	mu     sync.Mutex
	now    Trouble
	timer  *time.Timer // nil while all is well
	active bool        // something happened since the timer was set
	said   time.Time
	told   uint64 // bytes at that time
	closed bool
}

// met notes that something went wrong; err is nil if the consumer was too slow.
func (e *episode) met(err error, lost tally) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.say == nil {
		return
	}
	if e.timer == nil {
		e.now = Trouble{Pool: e.pool, Where: e.where, Err: err}
		e.said, e.told = time.Time{}, 0
		e.timer = time.AfterFunc(sayAfter, e.look)
	}
	if e.now.Err == nil {
		e.now.Err = err
	}
	e.active = true
	e.now.Lines += lost.lines
	e.now.Bytes += lost.bytes
}

// look says what there is to say. It runs on a goroutine of its own, without any lock held.
func (e *episode) look() {
	if t, due := e.due(time.Now()); due {
		e.say(t)
	}
}

func (e *episode) due(now time.Time) (Trouble, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return Trouble{}, false
	}
	t := e.now
	if !e.active {
		e.timer = nil
		t.Over = true
		return t, true
	}
	first := e.said.IsZero()
	due := first || t.Bytes > e.told && now.Sub(e.said) >= repeat
	if due {
		e.said, e.told = now, t.Bytes
	}
	e.active = false
	e.timer.Reset(calm)
	return t, due
}

// close ends it, with a last word about what was lost and not said.
func (e *episode) close() {
	e.mu.Lock()
	was := e.now
	unsaid := e.timer != nil && !e.closed && was.Bytes > e.told
	e.closed = true
	if e.timer != nil {
		e.timer.Stop()
	}
	e.mu.Unlock()
	if unsaid {
		e.say(was)
	}
}

// episodeLocked returns that of a pool's files (where is the first), or of a destination that pools share.
func (m *Mux) episodeLocked(pool, where string) *episode {
	key := pool
	if pool == "" {
		key = "/" + where // a name that no pool has
	}
	e := m.episodes[key]
	if e == nil {
		e = &episode{say: m.opt.Report, pool: pool, where: where}
		m.episodes[key] = e
	}
	return e
}
