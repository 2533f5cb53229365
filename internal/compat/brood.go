package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// patience bounds every wait for something that takes moments, of which a JVM's start is the longest.
	patience = 60 * time.Second
	// lookEvery is how often what brood does not tell by itself is looked for.
	lookEvery = 30 * time.Millisecond
)

var (
	errEnded    = errors.New("brood ended")
	errPatience = fmt.Errorf("it has not come to that within %s", patience)
)

// brood is a running supervisor with one pool.
type brood struct {
	binary, control, log string
	cmd                  *exec.Cmd
	exited               chan struct{}
}

// status is what scripts may rely on of brood status.
type status struct {
	Pools []pool
}

type pool struct {
	Desired, Ready, Restarts, Generation int
	Workers                              []worker
}

type worker struct {
	Slot, PID int
	Ready     bool
}

// whole tells whether there are exactly the workers that there should be, all ready.
func (p pool) whole() bool { return p.Ready == p.Desired && len(p.Workers) == p.Desired }

// processes counts those of all workers.
func (p pool) processes() int {
	n := 0
	for _, w := range p.Workers {
		n += len(group(w.PID))
	}
	return n
}

func (p pool) pids() map[int]int {
	pids := make(map[int]int)
	for _, w := range p.Workers {
		pids[w.Slot] = w.PID
	}
	return pids
}

// start launches brood in a directory, in which it also has its socket and its log.
func start(binary, dir, name string, flags, command []string) (*brood, error) {
	b := &brood{
		binary: binary, control: filepath.Join(dir, name+".sock"), log: filepath.Join(dir, name+".log"), exited: make(chan struct{}),
	}
	argv := append([]string{"run", "--name", "compat", "--control", b.control, "--log-format", "json", "--worker-output", "tail"}, flags...)
	b.cmd = exec.Command(binary, append(append(argv, "--"), command...)...)
	b.cmd.Dir = dir
	b.cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	// A trial that is killed takes its supervisor with it, and this its workers.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	log, err := os.Create(b.log)
	if err != nil {
		return nil, fmt.Errorf("cannot create log: %w", err)
	}
	defer log.Close() // brood has its own
	b.cmd.Stdout, b.cmd.Stderr = log, log
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start brood: %w", err)
	}
	go func() { _ = b.cmd.Wait(); close(b.exited) }() // stop waits for it
	return b, nil
}

// verb runs a control command.
func (b *brood) verb(words ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.binary, append([]string{words[0], "--control", b.control}, words[1:]...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot %s: %w: %s", strings.Join(words, " "), err, &errs)
	}
	return out, nil
}

// pool is what brood status says of the only one.
func (b *brood) pool() (pool, error) {
	out, err := b.verb("status", "--output", "json")
	if err != nil {
		return pool{}, err
	}
	var s status
	if err := json.Unmarshal(out, &s); err != nil || len(s.Pools) != 1 {
		return pool{}, fmt.Errorf("cannot read status of %d pools: %w", len(s.Pools), err)
	}
	return s.Pools[0], nil
}

// await waits until the pool is as it should be.
func (b *brood) await(within time.Duration, holds func(pool) bool) (pool, error) {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if p, err := b.pool(); err == nil && holds(p) { // before its socket is there it cannot be asked
			return p, nil
		}
		select {
		case <-look.C:
		case <-b.exited:
			return pool{}, fmt.Errorf("%w: %s", errEnded, b.said())
		case <-deadline.C:
			return pool{}, fmt.Errorf("%w: %s", errPatience, b.said())
		}
	}
}

// said is the end of its log.
func (b *brood) said() string {
	text, err := os.ReadFile(b.log)
	if err != nil {
		return err.Error()
	}
	const enough = 2000
	return string(text[max(0, len(text)-enough):])
}

// exits are how workers ended that were told to leave.
type exits struct {
	usual string // most often
	late  int    // killed, because they had not left in time
}

// stop ends it, gently first, and gives how workers ended that it told to leave.
func (b *brood) stop() (exits, error) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = b.cmd.Process.Signal(sig) // it may have ended
		select {
		case <-b.exited:
			return b.exits()
		case <-time.After(patience):
		}
	}
	return exits{}, fmt.Errorf("cannot end brood: %w", errPatience)
}

// abandon kills it all: nobody wants to know how these workers leave. gunicorn for one waits half a minute for processes
// that were told to while they were starting.
func (b *brood) abandon() error {
	_, err := b.verb("stop", "--force")
	_, stopErr := b.stop()
	return errors.Join(err, stopErr)
}

// exits reads from the log how workers ended that were told to.
func (b *brood) exits() (e exits, err error) {
	text, err := os.ReadFile(b.log)
	if err != nil {
		return e, fmt.Errorf("cannot read log: %w", err)
	}
	count := make(map[string]int)
	for row := range bytes.Lines(text) {
		var line struct{ Message, Cause, Exit string }
		if json.Unmarshal(row, &line) != nil || line.Message != "worker died" {
			continue // a worker's own words
		}
		switch line.Cause {
		case "stopped":
			count[line.Exit]++
			if count[line.Exit] > count[e.usual] {
				e.usual = line.Exit
			}
		case "killed_late":
			e.late++
		}
	}
	return e, nil
}
