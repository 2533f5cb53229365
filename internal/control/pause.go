package control

import (
	"context"
	"sync"
)

// Pause lets another program take over the addresses, which stay open: who asks from here on waits for it. Streams end after
// what they have to say at once, who waits for an operation is told that it goes on, and the other answers are written, until
// ctx ends. Operations go on, but none begins. A server of pages that has Web's must have paused before.
func (s *Server) Pause(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest(ctx)
	s.api.ops.hold(true)
}

// Resume answers again after Pause, if no other program came.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.api.ops.hold(false)
	s.api.streams.goOn()
	for _, p := range s.entrances {
		if p.turn == nil {
			s.attend(p)
		}
	}
}

// rest ends the turns at all doors, and with them the streams. Who is sent away comes back to nobody: first nobody is let in
// any more.
func (s *Server) rest(ctx context.Context) {
	for _, p := range s.entrances {
		if p.turn != nil {
			p.turn.Leave()
		}
	}
	s.api.streams.end()
	var turns sync.WaitGroup
	for _, p := range s.entrances {
		if turn := p.turn; turn != nil {
			turns.Go(func() { turn.End(ctx) })
			p.turn = nil
		}
	}
	turns.Wait()
}

// Hand says what the server of the next program needs to know; see Options. The server must pause, and the supervisor do
// nothing any more but give answers that it has begun to give. outstanding reports for which tickets it has one to give still:
// the next one asks for those. Who has neither been answered then nor is outstanding when ctx ends has not been heard, and is
// asked for again.
func (s *Server) Hand(ctx context.Context, outstanding func(ticket string) bool) Handed {
	return s.api.ops.hand(ctx, outstanding)
}
