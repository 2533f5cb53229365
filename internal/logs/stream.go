package logs

import "errors"

// Stream is the output of one worker.
type Stream struct {
	mux            *Mux
	stdout, stderr int
	out, err       *lane // nil where the worker inherits our own descriptor
	recorder       *recorder
	set            Settings
}

// Stdout returns the raw descriptor to hand to the worker as its stdout. It
// belongs to the stream, or is our own, and is valid until Spawned or Close.
func (s *Stream) Stdout() int { return s.stdout }

// Stderr is Stdout for stderr.
func (s *Stream) Stderr() int { return s.stderr }

// GiveTo makes the pipes belong to the worker's user, before it is started as
// another one than ours. Only then can it open /dev/stderr and /dev/stdout, as
// nginx and many images of containers have it in their configuration: opening
// /proc/PID/fd/N asks for permission anew, and a pipe is its maker's alone. What
// the worker inherits from us stays as it is. It needs CAP_CHOWN.
func (s *Stream) GiveTo(uid, gid uint32) error {
	var errs []error
	s.each(func(l *lane) { errs = append(errs, l.giveTo(int(uid), int(gid))) })
	return errors.Join(errs...)
}

// Handle is what the stream is adopted by, see [Mux.Adopt]: no other one has it, not after that either. It is 0 for one that
// inherits our own descriptors.
func (s *Stream) Handle() int {
	if s.recorder == nil {
		return 0
	}
	return s.recorder.handle
}

// started says whether the worker has its ends.
func (s *Stream) started() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.child < 0
}

// Spawned closes our copies of the worker's ends. Call it as soon as the fork is
// done: until then the end of the worker's output cannot be seen. The pid is for
// those who read lines; 0 if there is none.
func (s *Stream) Spawned(pid int) {
	s.each(func(l *lane) { l.spawned(pid) })
	if s.recorder != nil {
		s.recorder.started(pid)
	}
}

// Tail returns up to n of the last lines that the worker wrote to stderr, or to
// stdout if it never wrote to stderr, oldest first, without control characters and
// each cut to a readable length. What the worker wrote before it died is included
// even if the poller has not come to it yet. Tail also works after Close. It
// returns nil in Inherit mode.
func (s *Stream) Tail(n int) []string {
	if s.err == nil {
		return nil
	}
	if lines := s.err.lastLines(n); len(lines) > 0 {
		return lines
	}
	return s.out.lastLines(n)
}

// Close takes what is left in the pipes without waiting, ends a last line that
// has no newline, and releases the descriptors. Call it when the worker's whole
// process group is gone: a process that escaped the group gets EPIPE from here
// on. Closing twice does nothing.
func (s *Stream) Close() {
	s.mux.gate.RLock()
	defer s.mux.gate.RUnlock()
	if s.mux.frozen {
		s.mux.mu.Lock()
		defer s.mux.mu.Unlock()
		s.mux.closing = append(s.mux.closing, s)
		return
	}
	s.close()
}

func (s *Stream) close() {
	s.mux.strike(s)
	s.each((*lane).close)
	if s.recorder != nil {
		s.recorder.close()
	}
}

func (s *Stream) each(do func(*lane)) {
	for _, l := range []*lane{s.out, s.err} {
		if l != nil {
			do(l)
		}
	}
}
