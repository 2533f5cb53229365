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

// goProbing is goOn for a probe of a worker, which ends when that is not watched any more. None begins that another program
// would have to take up; watchAgain makes up for it.
func (s *Supervisor) goProbing(f func()) {
	if s.upgrade != nil && s.upgrade.stage >= upRecalling {
		return
	}
	s.probing.join()
	s.goOn(func() {
		defer s.probing.leave()
		f()
	})
}
