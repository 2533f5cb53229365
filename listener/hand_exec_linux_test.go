package listener

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/poll"
)

const (
	// successorRole begins the role of a process that executes itself again and again; a flag of a listener follows.
	successorRole = "successor "
	// stateEnv is the descriptor of what the process before has handed over.
	stateEnv = "LISTENER_TEST_STATE"
)

// successor is what such a process says when it has its listener.
type successor struct {
	PID     int
	Address string
	FDs     [][sides]int // of the slots
	Took    time.Duration
	Error   string
}

// succeed opens a listener, or takes it over from the process that this one was, and executes itself for every byte of
// its input until that ends.
func succeed(flag string) int {
	set, said, err := succession(flag)
	if err != nil {
		said.Error = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
	if err != nil {
		return 1
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		_ = set.Close()
		return 0
	}
	fmt.Fprintln(os.Stderr, "cannot execute itself:", executeAgain(set))
	return 1
}

func succession(flag string) (*Set, successor, error) {
	said := successor{PID: os.Getpid()}
	poller, err := poll.New()
	if err != nil {
		return nil, said, err
	}
	cfg, err := ParseFlag(flag)
	if err != nil {
		return nil, said, err
	}
	start := time.Now()
	set, err := heir(Options{Poller: poller})
	if err != nil {
		return nil, said, err
	}
	opened, err := set.Open([]Want{{cfg, 4}})
	if err != nil {
		return nil, said, err
	}
	said.Took = time.Since(start)
	l := opened[0]
	said.Address = l.testTarget()
	for slot := range l.Slots() {
		said.FDs = append(said.FDs, [sides]int{l.FD(slot, A), l.FD(slot, B)})
	}
	return set, said, nil
}

func heir(opt Options) (*Set, error) {
	if os.Getenv(stateEnv) == "" {
		return NewSet(nil, opt)
	}
	fd, err := strconv.Atoi(os.Getenv(stateEnv))
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "state")
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	if err != nil {
		return nil, err
	}
	var h Handed
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, err
	}
	return Restore(h, opt)
}

func executeAgain(set *Set) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if busy := set.Quiesce(ctx); busy != 0 {
		return fmt.Errorf("%d relays do not rest", busy)
	}
	h, err := set.Hand()
	if err != nil {
		return err
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	memory, err := unix.MemfdCreate("state", 0)
	if err != nil {
		return err
	}
	if _, err := unix.Write(memory, text); err != nil {
		return err
	}
	for _, fd := range h.Descriptors() {
		if _, err := unix.FcntlInt(uintptr(*fd), unix.F_SETFD, 0); err != nil {
			return err
		}
	}
	return syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), fmt.Sprintf("%s=%d", stateEnv, memory)))
}

// TestHandOverByExec: a process that executes itself under load loses no connection, and neither one that waits in a shard
// nobody serves, nor the numbers of the shards.
func TestHandOverByExec(t *testing.T) {
	t.Parallel()
	const times = 10
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"="+successorRole+"127.0.0.1:0", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	words := json.NewDecoder(out)
	hear := func() (said successor) {
		must(t, words.Decode(&said))
		if said.Error != "" || said.PID != cmd.Process.Pid {
			t.Fatalf("process %d said %+v", cmd.Process.Pid, said)
		}
		return said
	}
	first := hear()
	for slot, fds := range first.FDs {
		guestOn(t, stolen(t, cmd.Process.Pid, fds[A]), slot)
	}
	waiting, err := dial(first.Address, "127.78.0.1") // the second of the group: slot 0 side B
	must(t, err)
	_, err = io.WriteString(waiting, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	must(t, err)
	load, err := loadgen.Start(t.Context(), loadgen.Config{Address: first.Address, Clients: 8, Duration: longest, Timeout: patience})
	must(t, err)
	defer load.Stop()
	for i := range times {
		must(t, load.Await(deadline(t), 20*(i+1)))
		_, err = in.Write([]byte("x"))
		must(t, err)
		if said := hear(); said.Address != first.Address {
			t.Errorf("moved to %s", said.Address)
		}
	}
	must(t, load.Await(deadline(t), 20*(times+2)))
	result := load.Stop()
	t.Logf("%d requests over %d times, %d failed", result.Requests(), times, result.Failed())
	if result.Failed() != 0 || len(result.Slots()) != len(first.FDs) {
		t.Errorf("%s", result.String())
	}
	for slot := range first.FDs {
		conn, err := dial(first.Address, fmt.Sprintf("127.77.0.%d", slot))
		must(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		must(t, err)
		if said, err := ask(conn, nil); err != nil {
			t.Errorf("the lane of slot %d: %q, %v", slot, said, err)
		}
	}
	guestOn(t, stolen(t, cmd.Process.Pid, first.FDs[0][B]), 0)
	if said, err := ask(waiting, nil); err != nil {
		t.Errorf("who waited: %q, %v", said, err)
	}
}

// stolen is a copy of a descriptor of another process; see pidfd_getfd(2).
func stolen(t *testing.T, pid, fd int) *os.File {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	must(t, err)
	defer unix.Close(pidfd)
	dup, err := unix.PidfdGetfd(pidfd, fd, 0)
	must(t, err)
	return os.NewFile(uintptr(dup), "stolen")
}
