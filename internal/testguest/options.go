package testguest

import (
	"flag"
	"time"
)

// options are the flags that every serving guest understands.
type options struct {
	counters string        // directory of the counters
	notify   bool          // say READY=1
	after    time.Duration // neither accept nor say READY=1 before
	requests uint64        // end with 0 after so many; 0 = never
	work     time.Duration // how long a request takes
	serial   bool          // serve one connection at a time
	report   bool          // say BROOD_REQUESTS=n
	hup      string        // handle HUP: append a line to this file each time
	usr2     string        // the same for USR2
	stubborn bool          // ignore TERM, INT and HUP
	mood     string        // how it misbehaves: see mood
	moods    string        // directory of files that say it
	moodPath string        // requests that feel it
	harm     harm          // what it does to its sockets, and when
}

func (o *options) bind(flags *flag.FlagSet) {
	flags.StringVar(&o.counters, "counters", "", "`directory` to count in")
	flags.BoolVar(&o.notify, "notify", o.notify, "say READY=1")
	flags.DurationVar(&o.after, "after", o.after, "accept and be ready only then")
	flags.Uint64Var(&o.requests, "requests", o.requests, "end after so many requests")
	flags.DurationVar(&o.work, "work", o.work, "how long a request takes")
	flags.BoolVar(&o.serial, "serial", false, "serve one connection at a time")
	flags.BoolVar(&o.report, "report", false, "say how many requests were served")
	flags.StringVar(&o.hup, "hup", "", "`file` that gets a line for each HUP")
	flags.StringVar(&o.usr2, "usr2", "", "`file` that gets a line for each USR2")
	flags.StringVar(&o.mood, "mood", "", "`words`: 503, 2s, say:TEXT, flap:N, hang")
	flags.StringVar(&o.moods, "moods", "", "`directory` of files PID, slot-N or all with such words, which change the mood")
	flags.StringVar(&o.moodPath, "mood-path", "", "`path` that the mood counts for; all without it")
	o.harm.bind(flags)
}
