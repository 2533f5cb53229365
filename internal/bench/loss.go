package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

const (
	rollouts = 10
	kills    = 50
	// killGap is how many good answers lie between two kills: enough that the
	// queues of all four are busy again.
	killGap = 200
)

// busy makes a server slow enough that there is always something in its queue.
func busy() []string { return []string{"-work", "2ms"} }

// saturating loads without a pause, with more clients than servers.
func saturating(address string, reuse loadgen.Reuse) (*loadgen.Load, error) {
	load, err := loadgen.Start(context.Background(), loadgen.Config{
		Address: address, Reuse: reuse, Clients: clients, Duration: 10 * time.Minute, Timeout: 20 * time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot load %s: %w", address, err)
	}
	return load, nil
}

// measureRollouts: what clients lose while all workers are replaced ten times.
func measureRollouts(b *bench) ([]row, error) {
	var rows []row
	for _, reuse := range []loadgen.Reuse{loadgen.PerRequest, loadgen.KeepAlive} {
		result, err := b.rolled(reuse)
		if err != nil {
			return nil, err
		}
		what := "connection per request"
		if reuse == loadgen.KeepAlive {
			what = "kept connections"
		}
		rows = append(rows, atMostRow(fmt.Sprintf("requests failed in %d rollouts, %s, of %d", rollouts, what, result.Requests()), float64(result.Failed()), 0, ""))
		if reuse == loadgen.KeepAlive {
			rows = append(rows, row{
				figure: fmt.Sprintf("kept connections closed as a request was sent, %d rollouts", rollouts),
				floor:  "–", brood: strconv.Itoa(result.Count(loadgen.Reused)), ratio: "–",
			})
		}
		if result.Failed() != 0 {
			_, _ = fmt.Fprintln(b.note, &result)
		}
	}
	return rows, nil
}

func (b *bench) rolled(reuse loadgen.Reuse) (result loadgen.Result, err error) {
	p, address, err := b.keepServers(busy()...)
	if err != nil {
		return result, err
	}
	load, err := saturating(address, reuse)
	if err != nil {
		return result, errors.Join(err, stopQuietly(p))
	}
	for range rollouts {
		if err = b.verb(p, "roll", "--wait"); err != nil {
			break
		}
	}
	result = load.Stop()
	return result, errors.Join(err, stopQuietly(p))
}

// measureKills: of fifty killed workers, what was lost beyond what the dead had
// accepted.
func measureKills(b *bench) ([]row, error) {
	dir := filepath.Join(b.dir, "counters")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create directory: %w", err)
	}
	p, address, err := b.keepServers(append(busy(), "-counters", dir)...)
	if err != nil {
		return nil, err
	}
	load, err := saturating(address, loadgen.PerRequest)
	if err != nil {
		return nil, errors.Join(err, stopQuietly(p))
	}
	err = b.killAll(p, load)
	result := load.Stop()
	if err := errors.Join(err, stopQuietly(p)); err != nil {
		return nil, err
	}
	all, err := testguest.ReadCounters(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read counters: %w", err)
	}
	unanswered := 0
	for _, c := range all {
		unanswered += c.Unanswered()
	}
	lost := max(0, result.Failed()-unanswered)
	if lost != 0 {
		_, _ = fmt.Fprintln(b.note, &result)
	}
	return []row{
		atMostRow(fmt.Sprintf("connections lost from queues in %d kills, of %d", kills, result.Requests()), float64(lost), 0, ""),
		{figure: "requests that the killed had accepted", floor: "–", brood: strconv.Itoa(min(unanswered, result.Failed())), ratio: "–"},
	}, nil
}

// killAll kills one worker after another, each when the one before is replaced.
func (b *bench) killAll(p *keeper, load *loadgen.Load) error {
	for i := range kills {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := load.Await(ctx, killGap)
		cancel()
		if err != nil {
			return fmt.Errorf("cannot await answers: %w", err)
		}
		pid, err := b.victim(p, i%servers)
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return fmt.Errorf("cannot kill %d: %w", pid, err)
		}
	}
	_, err := b.victim(p, 0) // the last of them is replaced as well
	return err
}

// victim waits until all are ready, and names the worker of a slot.
func (b *bench) victim(p *keeper, slot int) (int, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		out, err := exec.Command(b.brood, "status", "--control", p.control, "--output", "json").Output()
		if err != nil {
			return 0, fmt.Errorf("cannot ask for the status: %w", err)
		}
		var status struct {
			Pools []struct {
				Ready   int
				Workers []struct{ Slot, PID int }
			}
		}
		if err := json.Unmarshal(out, &status); err != nil {
			return 0, fmt.Errorf("cannot read the status: %w", err)
		}
		pool := status.Pools[0]
		if pool.Ready == servers && len(pool.Workers) == servers {
			return pool.Workers[slot].PID, nil
		}
		if err := p.rest(50 * time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("cannot kill slot %d: %w", slot, errSilent)
}
