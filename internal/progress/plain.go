package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// plain writes one line per event, for logs and pipes.
type plain struct{ out io.Writer }

func (p *plain) update(events []Event, _ supervisor.Snapshot, at time.Duration) {
	var b strings.Builder
	for i := range events {
		fmt.Fprintf(&b, "%s %s\n", seconds(at), sentence(&events[i]))
	}
	if b.Len() > 0 {
		_, _ = io.WriteString(p.out, b.String()) // nobody is left to be told
	}
}

// end says nothing: the caller has the verdict in words of its own.
func (p *plain) end(Verdict, time.Duration) {}

// seconds keeps the beginnings of lines alike.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

// sentence is an event in words.
func sentence(ev *Event) string {
	if ev.Kind == KindReload {
		return reloadWords(ev.State, ev.Reason)
	}
	if ev.ofWorker() {
		return fmt.Sprintf("%s.%d %s", ev.Pool, ev.Slot, workerWords(ev))
	}
	return fmt.Sprintf("pool %s %s", ev.Pool, poolWords(ev))
}

func workerWords(ev *Event) string {
	who := fmt.Sprintf("worker pid %d", ev.PID)
	if ev.Old {
		who = "old " + who
	}
	switch {
	case ev.Kind == KindGone && killed(ev.From):
		return who + because(" was killed", ev.Reason)
	case ev.Kind == KindGone && leaving(ev.From) && ev.From != stateTracing:
		return who + " left"
	case ev.Kind == KindGone && ev.Old:
		return who + " is gone" // how it left was not seen
	case ev.Kind == KindGone:
		return who + because(" ended", ev.Reason)
	case ev.State == stateStarting:
		return fmt.Sprintf("starting (pid %d, generation %d)", ev.PID, ev.Generation)
	case ev.State == stateReady && leaving(ev.From):
		return who + " stays after all"
	case ev.State == stateWaiting:
		return because("waiting for its next start", ev.Reason)
	case ev.State == stateUnready || ev.State == stateFailing:
		return because(who+" is "+ev.State, ev.Reason)
	case ev.State == stateTracing:
		return who + " gets SIGABRT"
	case killed(ev.State):
		return who + " gets SIGKILL"
	case leaving(ev.State):
		return who + " " + ev.State
	default:
		return ev.State
	}
}

func poolWords(ev *Event) string {
	count := fmt.Sprintf("%d/%d", ev.Done, ev.Total)
	switch ev.Kind {
	case KindRollout:
		return rolloutWords(ev, count)
	case KindScale:
		return fmt.Sprintf("goes to %d workers", ev.Total)
	case KindReady:
		return "ready: " + count
	case KindPhase:
		return ev.State
	case KindAdded:
		return fmt.Sprintf("added: %d workers", ev.Total)
	case KindRemoved:
		return "removed"
	case KindWorker, KindGone, KindReload:
	}
	return string(ev.Kind)
}

// reloadWords is a reload for people.
func reloadWords(state, reason string) string {
	switch state {
	case reloadPreparing:
		return "reload: looking at the configuration and what it requires"
	case reloadApplying:
		return "reload: applying it"
	case reloadReverting:
		return because("reload: going back", reason)
	default:
		return because("reload "+text.Neutral(state), reason)
	}
}

func rolloutWords(ev *Event, count string) string {
	switch ev.State {
	case rolloutWaiting:
		return because(fmt.Sprintf("waits for its turn to roll to generation %d", ev.Generation), ev.Reason)
	case rolloutRolling:
		return fmt.Sprintf("rolling to generation %d", ev.Generation)
	case rolloutReverting:
		return because(fmt.Sprintf("going back: generation %d failed", ev.Generation), ev.Reason)
	case rolloutDone:
		return fmt.Sprintf("done: %s at generation %d", count, ev.Generation)
	case rolloutFailed:
		if ev.From == rolloutReverting {
			return "is back: " + count + " as before"
		}
		return because(fmt.Sprintf("failed to roll to generation %d", ev.Generation), ev.Reason)
	default:
		return fmt.Sprintf("%s: generation %d", ev.State, ev.Generation)
	}
}

// because adds a reason, if there is one.
func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + text.Neutral(reason)
}
