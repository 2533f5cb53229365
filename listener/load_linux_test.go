package listener

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// longest bounds a load that a test stops itself.
const longest = time.Minute

// guestAt starts an HTTP server as a process of its own on the socket of a place, and returns what ends it. At the latest
// the test does.
func guestAt(t testing.TB, l *Listener, slot int, side Side) (stop func()) {
	t.Helper()
	return guestOn(t, copyOf(t, l.FD(slot, side)), slot)
}

// guestOn is guestAt for a copy of a socket, which it closes.
func guestOn(t testing.TB, copied *os.File, slot int) (stop func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", testguest.Word, "http")
	cmd.Env = append(os.Environ(), `BROOD_FDS={"http":"/dev/fd/3"}`, fmt.Sprintf("BROOD_SLOT=%d", slot), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	defer func() { _ = copied.Close() }()
	cmd.ExtraFiles = []*os.File{copied}
	must(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// under sends a load at l with a guest in each slot, and calls do while it runs. Not one request may fail.
func under(t *testing.T, l *Listener, do func(load *loadgen.Load)) {
	t.Helper()
	for slot := range l.Slots() {
		defer guestAt(t, l, slot, A)()
	}
	load, err := loadgen.Start(t.Context(), loadgen.Config{
		Address: l.testTarget(), Clients: 8, Duration: longest, Timeout: patience,
	})
	must(t, err)
	defer load.Stop()
	must(t, load.Await(deadline(t), 50))
	do(load)
	must(t, load.Await(deadline(t), 50))
	result := load.Stop()
	t.Logf("%d requests, %d failed", result.Requests(), result.Failed())
	if result.Failed() != 0 || result.Requests() < 100 {
		t.Errorf("%s", result.String())
	}
}
