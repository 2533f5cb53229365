package deadman

import (
	"maps"
	"slices"
	"time"
)

// register is who has to be dead when. It is pure: descriptors are numbers to it.
type register struct {
	sessions map[int64]*session
	watched  map[uint64]*watched
}

// session is a time at which claims end.
type session struct {
	at   time.Duration
	over bool
}

// watched is a worker.
type watched struct {
	token    uint64
	pid      int
	process  int // its pidfd; -1 if there is none
	group    int // the directory of its control group; -1 if there is none
	heir     int // a pidfd of one that it has left behind; -1 if there is none
	sessions Sessions
	struck   bool
}

func newRegister() register {
	return register{sessions: map[int64]*session{}, watched: map[uint64]*watched{}}
}

// putOff takes note of when a session ends. It never ends earlier than was said before. Those of which nobody is watched
// are not needed any more beside it.
func (r *register) putOff(id int64, at, now time.Duration) {
	maps.DeleteFunc(r.sessions, func(other int64, _ *session) bool { return other != id && !r.isUsed(other) })
	s := r.sessions[id]
	if s == nil {
		s = &session{}
		r.sessions[id] = s
	}
	s.at = max(s.at, at)
	s.over = s.at <= now
}

func (r *register) isUsed(id int64) bool {
	for _, w := range r.watched {
		if slices.Contains(w.sessions[:], id) {
			return true
		}
	}
	return false
}

// watch takes a worker in, or what else is known of one. What it has instead of an earlier descriptor is returned, to be closed.
func (r *register) watch(m *Message, process, group int) (obsolete []int) {
	w := r.watched[m.Token]
	if w == nil {
		w = &watched{token: m.Token, process: -1, group: -1, heir: -1}
		r.watched[m.Token] = w
	}
	w.struck = w.struck && w.pid == int(m.PID)
	w.pid, w.sessions = int(m.PID), m.Sessions
	replace := func(had *int, has int) {
		if has < 0 {
			return
		}
		if *had >= 0 {
			obsolete = append(obsolete, *had)
		}
		*had = has
	}
	replace(&w.process, process)
	replace(&w.group, group)
	return obsolete
}

// forget returns the descriptors of a worker that is not watched any more, to be closed.
func (r *register) forget(token uint64) []int {
	w := r.watched[token]
	if w == nil {
		return nil
	}
	delete(r.watched, token)
	return slices.DeleteFunc([]int{w.process, w.group, w.heir}, func(fd int) bool { return fd < 0 })
}

// isOver reports whether a worker may not live any more. A session that nobody has said anything about has no time left.
func (r *register) isOver(w *watched) bool {
	for _, id := range w.sessions {
		if s := r.sessions[id]; id != 0 && (s == nil || s.over) {
			return true
		}
	}
	return false
}

// pass returns the sessions whose time is over since it was asked last.
func (r *register) pass(now time.Duration) []int64 {
	var all []int64
	for id, s := range r.sessions {
		if !s.over && s.at <= now {
			s.over = true
			all = append(all, id)
		}
	}
	return all
}

// next is when the next session ends; false if none does.
func (r *register) next() (at time.Duration, any bool) {
	for _, s := range r.sessions {
		if !s.over && (!any || s.at < at) {
			at, any = s.at, true
		}
	}
	return at, any
}

// due takes those who have to be killed now.
func (r *register) due() []*watched {
	var all []*watched
	for _, w := range r.watched {
		if !w.struck && r.isOver(w) {
			w.struck = true
			all = append(all, w)
		}
	}
	return all
}
