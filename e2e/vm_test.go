//go:build e2e && vm

package e2e

import "testing"

// TestVMServes: what all the others in a virtual machine build upon.
func TestVMServes(t *testing.T) {
	b := launch(t, options{flags: []string{"-n", "2", "-l", "127.0.0.1:8080"}, command: []string{guestBin(), "testguest", "http"}})
	load := startLoad(t, "127.0.0.1:8080", nil)
	if err := load.Await(t.Context(), 100); err != nil {
		t.Error(err)
	}
	if result := load.Stop(); result.Failed() != 0 || len(result.Slots()) != 2 {
		t.Errorf("%s", &result)
	}
	b.stop()
}
