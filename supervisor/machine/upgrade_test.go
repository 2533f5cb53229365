package machine

import (
	"encoding/json"

	"pgregory.net/rapid"
)

// upgraded has another program go on with what this one writes down. To the machine nothing happens: no event says so, and
// every promise holds across it, those about worker ids and the leader among them.
func (w *world) upgraded(t *rapid.T) *world {
	text, err := json.Marshal(w.st)
	if err != nil {
		t.Fatalf("cannot hand on the state: %v", err)
	}
	next := w.clone()
	next.st = State{}
	if err := json.Unmarshal(text, &next.st); err != nil {
		t.Fatalf("cannot go on from the state: %v", err)
	}
	if string(next.encode(nil)) != string(w.encode(nil)) {
		t.Fatalf("the next program knows something else:\n  %v\n  %v", w.picture(), next.picture())
	}
	return next
}
