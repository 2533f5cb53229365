package supervisor

import "encoding/json"

// Document is the configuration that holds, as plan.Desired has it. It never waits for the loop.
func (s *Supervisor) Document() json.RawMessage { return *s.document.Load() }

// putDocument makes a configuration the one that is shown.
func (s *Supervisor) putDocument() {
	text := s.desired.Document
	s.document.Store(&text)
}
