package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

func psCommand() *cli.Command {
	return &cli.Command{
		Name:  "ps",
		Usage: "list the supervisors of this machine",
		Description: "It looks where their sockets are unless somebody says otherwise, of all users as far as one may look there;\n" +
			"--control adds another place.",
		Flags: []cli.Flag{
			stringFlag("control", "", "`PATH` of a control socket somewhere else"),
			durationFlag("timeout", time.Second, "how long each of them may take to answer"),
			outputFlag(), noColorFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			format, err := outputFormat(c)
			if err != nil {
				return err
			}
			found, denied := control.Everywhere(os.Getenv, os.Geteuid())
			if path := c.String("control"); path != "" && !slices.Contains(found, path) {
				found = append(found, path)
			}
			list := psList{Supervisors: []psEntry{}, Denied: []string{}}
			for _, s := range survey(c.Context, found, c.Duration("timeout")) {
				list.Supervisors = append(list.Supervisors, s.entry())
			}
			for _, no := range denied {
				list.Denied = append(list.Denied, no.Path)
			}
			if format == formatJSON {
				return printJSON(c.App.Writer, list)
			}
			list.print(c.App.Writer, c.App.ErrWriter, lookOf(c, c.App.Writer))
			return nil
		},
	}
}

// sighting is what was found out about a control socket.
type sighting struct {
	path string
	pid  int // as the kernel says, in our pid namespace
	snap supervisor.Snapshot
	err  error
}

// survey asks them all at once, each for so long.
func survey(ctx context.Context, paths []string, within time.Duration) []sighting {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	seen := make([]sighting, len(paths))
	var asking sync.WaitGroup
	for i, path := range paths {
		asking.Go(func() { seen[i] = sight(ctx, path) })
	}
	asking.Wait()
	return seen
}

func sight(ctx context.Context, path string) sighting {
	client := control.NewClient(path)
	s := sighting{path: path}
	if peer, err := client.Peer(ctx); err == nil {
		s.pid = peer.PID
		_ = syscall.Close(peer.PIDFD)
	}
	s.snap, s.err = client.Status(ctx)
	return s
}

// psList is what brood ps prints for programs.
type psList struct {
	Supervisors []psEntry `json:"supervisors"`
	Denied      []string  `json:"denied"` // directories in which this user may not look for more
}

// psEntry is one supervisor. Of one that does not talk there is no more than the name, the state, the pid and the socket.
type psEntry struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	State   string    `json:"state"` // a supervisor's, or denied, silent, dead
	Pools   int       `json:"pools"`
	Ready   int       `json:"ready"`
	Desired int       `json:"desired"`
	Version string    `json:"version,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Control string    `json:"control"`
	Error   string    `json:"error,omitempty"`
	Hint    string    `json:"hint,omitempty"` // what an error means, or what can be done about it
}

// The states of those that do not talk.
const (
	psDenied = "denied" // not to this user
	psSilent = "silent" // it is there, and does not answer
	psDead   = "dead"   // its socket is all that is left
)

func (s sighting) entry() psEntry {
	e := psEntry{Name: control.Name(s.path), PID: s.pid, Control: s.path}
	if s.err != nil {
		e.Error = s.err.Error()
		no, denied := errors.AsType[*control.DeniedError](s.err)
		switch {
		case denied:
			e.State, e.Hint = psDenied, no.Hint()
		case s.pid == 0 && errors.Is(s.err, control.ErrNoAnswer):
			e.State, e.Hint = psDead, "it was killed, and its socket is left; another one of its name replaces that"
		default:
			e.State, e.Hint = psSilent, "it is there and does not answer; it may be stopped, or have no CPU"
		}
		return e
	}
	if e.PID == 0 {
		e.PID = s.snap.PID
	}
	e.Name, e.State, e.Version, e.Started = s.snap.Name, s.snap.State, s.snap.Version, s.snap.Started
	e.Pools = len(s.snap.Pools)
	for i := range s.snap.Pools {
		e.Ready += s.snap.Pools[i].Ready
		e.Desired += s.snap.Pools[i].Desired
	}
	return e
}

func (l *psList) print(w, notes io.Writer, look look) {
	name, pid, state := column{head: "NAME", least: 16}, column{head: "PID"}, column{head: "STATE"}
	pools, ready, version := column{head: "POOLS"}, column{head: "READY"}, column{head: "VERSION", least: 8}
	up, socket := column{head: "UP"}, column{head: "CONTROL", least: 20}
	for i := range l.Supervisors {
		e := &l.Supervisors[i]
		name.cells = append(name.cells, text.Neutral(e.Name))
		pid.cells = append(pid.cells, unlessZero(e.PID, strconv.Itoa(e.PID)))
		state.cells = append(state.cells, text.Neutral(e.State))
		words := [...]string{nothing, nothing, nothing, nothing}
		if e.Error == "" {
			words = [...]string{strconv.Itoa(e.Pools), fmt.Sprintf("%d/%d", e.Ready, e.Desired), text.Neutral(e.Version), text.Age(time.Since(e.Started))}
		}
		pools.cells, ready.cells = append(pools.cells, words[0]), append(ready.cells, words[1])
		version.cells, up.cells = append(version.cells, words[2]), append(up.cells, words[3])
		socket.cells = append(socket.cells, text.Neutral(e.Control))
	}
	if len(l.Supervisors) > 0 {
		printTable(w, []column{name, pid, state, pools, ready, version, up, socket}, look, func(i int) string {
			if colour := stateColour(l.Supervisors[i].State); colour != colourGood {
				return colour
			}
			return ""
		})
	} else {
		_, _ = fmt.Fprintln(notes, "no supervisor is running; brood run starts one")
	}
	for i := range l.Supervisors {
		if e := &l.Supervisors[i]; e.Hint != "" {
			_, _ = fmt.Fprintf(notes, "note: %s is %s: %s\n", text.Neutral(e.Name), e.State, text.Neutral(e.Hint))
		}
	}
	for _, dir := range l.Denied {
		_, _ = fmt.Fprintf(notes, "note: permission denied on %s: who is there is not shown\n", text.Neutral(dir))
	}
}
