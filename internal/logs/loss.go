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
	Where string // stdout, stderr, journald, or the path of the first file
	Err   error  // nil: lines come faster than they are taken
	// Lines and Bytes are lost since it began; none yet if they only wait.
	Lines, Bytes uint64
	Over         bool
	// Keeping is about files that are full: they cannot be renamed, compressed or removed. Nothing is lost by that.
	Keeping bool
}

// episode is the trouble of one destination, or of all files of a pool, from beginning to end.
type episode struct {
	say     func(Trouble)
	pool    string
	keeping bool

	mu     sync.Mutex
	open   bool // from the first trouble to the word that it is over
	now    Trouble
	stuck  map[string]struct{} // where nothing has arrived since
	timer  *time.Timer         // nil while there is nothing to say and nothing to find out
	active bool                // something happened since the timer was set
	said   time.Time
	lost   uint64 // bytes of workers: that our own log is lost cannot be a reason to write to it
	told   uint64 // of those, at that time
	closed bool
	frozen bool           // nothing is said
	saying sync.WaitGroup // what is being said
}

// met notes that something went wrong at a place; err is nil if the consumer was too slow.
func (e *episode) met(where string, err error, lost tally) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.say == nil {
		return
	}
	if !e.open {
		e.open = true
		e.now = Trouble{Pool: e.pool, Where: where, Err: err, Keeping: e.keeping}
		e.stuck = map[string]struct{}{}
		e.said, e.lost, e.told = time.Time{}, 0, 0
	}
	if e.now.Err == nil {
		e.now.Err = err
	}
	e.stuck[where] = struct{}{}
	e.active = true
	e.now.Lines += lost.lines
	e.now.Bytes += lost.bytes
	e.lost += lost.bytes - lost.own
	e.lookIn(sayAfter)
}

// went notes that something arrived at a place, or that nobody wants it to any more. Only then can trouble be over: that
// nothing was tried is no proof.
func (e *episode) went(where string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open || e.closed {
		return
	}
	if delete(e.stuck, where); len(e.stuck) == 0 {
		e.lookIn(calm)
	}
}

// lookIn has somebody look, if nobody is about to.
func (e *episode) lookIn(d time.Duration) {
	if e.timer == nil && !e.frozen {
		e.timer = time.AfterFunc(d, e.look)
	}
}

// look says what there is to say. It runs on a goroutine of its own, without any lock held.
func (e *episode) look() {
	if t, due := e.due(time.Now()); due {
		defer e.saying.Done()
		e.say(t)
	}
}

func (e *episode) due(now time.Time) (t Trouble, due bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.frozen {
		return Trouble{}, false
	}
	defer func() {
		if due {
			e.saying.Add(1)
		}
	}()
	t = e.now
	if !e.active && len(e.stuck) == 0 {
		e.open, e.timer = false, nil
		t.Over = true
		return t, true
	}
	// That what waited is lost from now on is news.
	worse := e.lost > e.told
	due = e.said.IsZero() || worse && (e.told == 0 || now.Sub(e.said) >= repeat)
	if due {
		e.said, e.told = now, e.lost
	}
	if e.active || worse && !due {
		e.timer.Reset(calm)
	} else {
		e.timer = nil // until something happens
	}
	e.active = false
	return t, due
}

// close ends it, with a last word about what was lost and not said.
func (e *episode) close() {
	e.mu.Lock()
	was := e.now
	unsaid := e.open && !e.closed && e.lost > e.told
	e.closed = true
	if e.timer != nil {
		e.timer.Stop()
	}
	e.mu.Unlock()
	if unsaid {
		e.say(was)
	}
}

// episodeLocked returns that of a pool's files, or of a destination that pools share.
func (m *Mux) episodeLocked(pool, where string) *episode {
	key := pool
	if pool == "" {
		key = "/" + where // a name that no pool has
	}
	return m.findLocked(key, &episode{pool: pool})
}

// keepingLocked returns that of a pool's files that are full.
func (m *Mux) keepingLocked(pool string) *episode {
	return m.findLocked("/keeping/"+pool, &episode{pool: pool, keeping: true})
}

// findLocked returns the one that is there, or else makes it that one.
func (m *Mux) findLocked(key string, e *episode) *episode {
	if there := m.episodes[key]; there != nil {
		return there
	}
	e.say = m.opt.Report
	m.episodes[key] = e
	return e
}
