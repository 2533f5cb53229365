package supervisor

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/plan"
)

// Config describes a supervisor. It is not changed after New.
type Config struct {
	Name    string
	Version string
	Log     zerolog.Logger
	World   World
	Desired plan.Desired // what to run first; World.Load says what to run later
	File    string       // where Desired came from; "" if that is no file
	// UpgradeOnReload has SIGHUP look first whether another program was installed, and go on as that.
	UpgradeOnReload bool
	// Handed is where another program was in whose place we go on; nil if there was none. Desired is not looked at then.
	Handed *Handed
}

const (
	// aliveFor is how long a worker without sockets has to live to count as ready, if nothing else is asked for:
	// longer than it takes a program to find its configuration wrong.
	aliveFor = time.Second
	// assumeAfter ends the wait for a worker that is not seen on its sockets: it may use a way of waiting that /proc
	// does not show, such as io_uring. Nothing is lost if it is slow instead, since its connections queue.
	assumeAfter = 10 * time.Second
)
