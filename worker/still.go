package worker

type still struct {
	f    func() error
	done chan error // capacity 1
}

// Still calls f on Main's thread while this program's view of its children stands still: no process is being forked, none is
// reaped, no callback of a process or of the poller runs, and those of all that was reaped have returned. So what f writes
// down stays true until it has replaced the program. When f comes back, everything goes on: starts that were asked for
// meanwhile, ends, and what the poller has to tell.
//
// A start whose shim has not answered yet may be under way: its process would be nobody's child that anybody knows, and
// be reaped like an orphan. The caller waits for those that it cares for before.
//
// It returns what f does, or ErrStopped if Main has ended. It waits for a Main that does not run yet. f may call whatever
// does not wait for a callback; Still itself must be called neither from one nor from f.
func (s *Spawner) Still(f func() error) error {
	q := still{f: f, done: make(chan error, 1)}
	select {
	case s.stills <- q:
		return <-q.done
	case <-s.ended:
		return ErrStopped
	}
}

// hold keeps the others waiting. The poller comes first: its callbacks wait for the reaper's table, never the reverse.
func (s *Spawner) hold(f func() error) error {
	defer s.poller.Pause()()
	s.turn.Lock()
	defer s.turn.Unlock()
	return f()
}
