package host

import (
	"github.com/rs/zerolog"

	"github.com/broodctl/brood/listener"
)

// report passes on what happened to a listener behind our back.
func (h *Host) report(ev listener.Event) {
	logListener(h.log, ev)
	if ev.Kind == listener.EventRevived {
		h.kept.Load().changed() // its place among the others is another
	}
	if sup := h.sup.Load(); sup != nil {
		sup.Report(ev)
	}
}

// logListener says what happened to a listener, if nobody else does.
func logListener(log zerolog.Logger, ev listener.Event) {
	level, message := zerolog.WarnLevel, "listener is in trouble"
	switch ev.Kind {
	case listener.EventFellBack:
		message = "listener is shared: the kernel does not let us steer"
	case listener.EventRevived:
		return // the supervisor says whose it was
	case listener.EventRelayed:
		level, message = zerolog.InfoLevel, "connections of a queue that nobody serves relayed to the others"
	case listener.EventRelayFailed:
		message = "cannot relay the queue of a worker that left"
	case listener.EventDropped:
		message = "a listener that was kept cannot go on, and what waited in it is lost"
	case listener.EventReviveFailed:
		message = "cannot revive a socket that a worker shut down"
	}
	log.WithLevel(level).Err(ev.Err).Str("listener", ev.Listener).Int("slot", ev.Slot).Stringer("side", ev.Side).
		Int("count", ev.Count).Msg(message)
}
