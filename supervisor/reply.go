package supervisor

import "time"

// replier hears once how a request ended. What an answer passes on its way to who asked are types, and not functions, so
// that it can be written down for the program that goes on in our place.
type replier interface{ give(v Verdict) }

// replyFunc is one of whom the next program needs to know nothing.
type replyFunc func(Verdict)

func (f replyFunc) give(v Verdict) { f(v) }

// asker is who asked over the API.
type asker struct {
	ticket string
	tell   func(Verdict)
}

func (a asker) give(v Verdict) { a.tell(v) }

// seenReply keeps an answer back until what it says can be seen.
type seenReply struct {
	sup  *Supervisor
	next replier
}

func (r seenReply) give(v Verdict) {
	r.sup.answers = append(r.sup.answers, func() { r.next.give(v) })
}

// unreadReply adds that the configuration file was not read.
type unreadReply struct{ next replier }

func (r unreadReply) give(v Verdict) {
	if v.Err == nil {
		v.Text += "; the configuration file was not read: a reload of all pools does that"
	}
	r.next.give(v)
}

// bookedReply counts a reload by its verdict.
type bookedReply struct {
	pool  *pool
	begun time.Time
	next  replier
}

func (r bookedReply) give(v Verdict) {
	r.pool.book(r.begun, time.Now(), v.Err != nil)
	r.next.give(v)
}
