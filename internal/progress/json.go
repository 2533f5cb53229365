package progress

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// objects writes one JSON object per event and line. docs/api.md describes the fields.
type objects struct{ out io.Writer }

// head begins every object.
type head struct {
	Event   string  `json:"event"`
	Elapsed float64 `json:"elapsed_seconds"`
}

type workerObject struct {
	head
	Pool       string `json:"pool"`
	Slot       int    `json:"slot"`
	PID        int    `json:"pid"`
	Generation uint64 `json:"generation"`
	State      string `json:"state,omitempty"`
	From       string `json:"from,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

type poolObject struct {
	head
	Pool       string `json:"pool"`
	Generation uint64 `json:"generation"`
	Done       int    `json:"done"`
	Total      int    `json:"total"`
	State      string `json:"state,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

type reloadObject struct {
	head
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

type endObject struct {
	head
	Outcome Outcome  `json:"outcome"`
	Text    string   `json:"text,omitempty"`
	Lines   []string `json:"last_lines,omitempty"`
}

func (o *objects) update(events []Event, _ supervisor.Snapshot, at time.Duration) {
	enc := json.NewEncoder(o.out)
	for i := range events {
		ev := &events[i]
		begin := newHead(string(ev.Kind), at)
		var object any = poolObject{begin, ev.Pool, ev.Generation, ev.Done, ev.Total, ev.State, ev.Reason}
		switch {
		case ev.ofWorker():
			object = workerObject{begin, ev.Pool, ev.Slot, ev.PID, ev.Generation, ev.State, ev.From, ev.Reason}
		case ev.Kind == KindReload:
			object = reloadObject{begin, ev.State, ev.Reason}
		}
		_ = enc.Encode(object) // nobody is left to be told
	}
}

// end is the last object: programs need the verdict in the same stream.
func (o *objects) end(v Verdict, at time.Duration) {
	_ = json.NewEncoder(o.out).Encode(endObject{newHead("end", at), v.Outcome, v.Text, v.Lines})
}

func newHead(event string, at time.Duration) head {
	return head{Event: event, Elapsed: math.Round(at.Seconds()*1000) / 1000}
}
