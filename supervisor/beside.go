package supervisor

// goOn runs f beside the loop. The supervisor waits for it at its end, so f must watch quit.
func (s *Supervisor) goOn(f func()) {
	s.pending.Go(f)
}

// lookUp is goOn for what posts the end of a request.
func (s *Supervisor) lookUp(f func()) {
	s.looking++
	s.goOn(f)
}

// goProbing is goOn for a probe of a worker, which ends when that is not watched any more.
func (s *Supervisor) goProbing(f func()) {
	s.probing.Add(1)
	s.goOn(func() {
		defer s.probing.Done()
		f()
	})
}
