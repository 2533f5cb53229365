package testguest

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/broodctl/brood/worker/handshake"
	"github.com/broodctl/brood/worker/self"
)

// watchdog serves, says READY=1, pings at half the interval it was given, and
// falls silent after a number of pings, or asks to be replaced: it goes on serving,
// as a program with one stuck thread does.
func watchdog(args []string) int {
	flags := newFlags("watchdog")
	pings := flags.Int("pings", 0, "how many before the silence; negative: no silence")
	trigger := flags.Bool("trigger", false, "say WATCHDOG=trigger instead of nothing any more")
	o := options{notify: true}
	o.bind(flags)
	if code, ok := parse(flags, args); !ok {
		return code
	}
	usec, err := strconv.ParseInt(os.Getenv(handshake.EnvWatchdogUsec), 10, 64)
	if err != nil || usec <= 0 {
		return fail(fmt.Errorf("%s is %q", handshake.EnvWatchdogUsec, os.Getenv(handshake.EnvWatchdogUsec)))
	}
	go func() { // ends with the process
		ping(*pings, time.Duration(usec)*time.Microsecond/2)
		if !*trigger {
			return
		}
		if err := self.Failed(); err != nil {
			fail(err)
		}
	}()
	return serve(o, inherited)
}

func ping(n int, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ; n != 0; n-- {
		if err := notify("WATCHDOG=1"); err != nil {
			fail(err)
			return
		}
		<-tick.C
	}
}
