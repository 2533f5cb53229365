package host

import (
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/logs"
)

// troubleLog says in the log what of the workers' output is lost.
type troubleLog struct {
	to atomic.Pointer[zerolog.Logger] // nil until there is one
}

func (l *troubleLog) report(t logs.Trouble) {
	log := l.to.Load()
	if log == nil {
		return
	}
	level, message := zerolog.WarnLevel, "output of workers is lost"
	switch {
	case t.Keeping && t.Over:
		level, message = zerolog.InfoLevel, "log files that are full are put away again"
	case t.Keeping:
		message = "log files that are full cannot be put away"
	case t.Over:
		level, message = zerolog.InfoLevel, "output of workers arrives again"
	case t.Bytes == 0:
		message = "output of workers has to wait"
	case t.Err == nil:
		message = "output of workers is lost: it comes faster than it is taken"
	}
	fields := map[string]any{"where": t.Where}
	if !t.Keeping {
		fields["lines"], fields["bytes"] = t.Lines, t.Bytes
	}
	if t.Pool != "" {
		fields["pool"] = t.Pool
	}
	log.WithLevel(level).Err(t.Err).Fields(fields).Msg(message)
}
