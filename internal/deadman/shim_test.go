package deadman

import (
	"testing"

	"github.com/broodctl/brood/worker/shim"
)

// What a worker says of itself is written by a package that must not know this one.
func TestWorkersSpeakAsWeDo(t *testing.T) {
	w := shim.Watch{Token: 1<<63 + 5, Sessions: [2]uint64{1<<64 - 2, 9}}
	text := w.Message(1 << 31)
	m, err := Parse(text[:])
	if want := (Message{Kind: Watch, Files: WithProcess, PID: 1 << 31, Token: 1<<63 + 5, Sessions: Sessions{-2, 9}}); err != nil || m != want {
		t.Errorf("got %+v, %v", m, err)
	}
}
