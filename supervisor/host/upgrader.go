package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/handover"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/worker"
)

// drainTime is how long the words of workers may take to get where they go, before another program takes them over.
const drainTime = time.Second

// upgrader has another program take the place of this process. The loop uses it, one call after another, but for Check and
// Hush.
type upgrader struct {
	h       *Host
	hushing sync.Mutex        // held by Hush
	hushed  []Part            // in the order in which they were
	order   chan func() error // what the main thread does while nothing happens
	ended   chan error        // what it came to
	checked os.FileInfo       // the program that was asked
	holding bool
}

// Changed compares the file that runs with the one that is at its path now.
func (u *upgrader) Changed() bool {
	runs, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	is, err := os.Stat(u.h.program)
	return err == nil && !os.SameFile(runs, is)
}

// Hush pauses the others of this process, and lets the relays of sockets come to rest.
func (u *upgrader) Hush(ctx context.Context) {
	u.hushing.Lock()
	defer u.hushing.Unlock()
	if ctx.Err() != nil {
		return // it was given up before it began
	}
	for _, p := range u.h.parts {
		p.part.Pause(ctx)
		u.hushed = append(u.hushed, p.part)
	}
	if busy := u.h.sockets.Quiesce(ctx); busy > 0 {
		u.h.log.Warn().Int("count", busy).Msg("connections are still being relayed")
	}
}

// Hold keeps the main thread from forking, and the reaper and the poller from telling, until Replace or Release.
func (u *upgrader) Hold(held func()) {
	u.order, u.ended, u.holding = make(chan func() error), make(chan error, 1), true
	go func() { // ends with Release, or with the program
		u.ended <- u.h.spawner.Still(func() error {
			held()
			return (<-u.order)()
		})
	}()
}

// Replace does not return if the next program runs.
func (u *upgrader) Replace(next supervisor.Successor, state supervisor.Handed) error {
	u.holding = false
	u.order <- func() error {
		if !u.isChecked(next.Path) {
			return fmt.Errorf("%s: %w", next.Path, errOther)
		}
		return u.h.become(next, state)
	}
	return <-u.ended
}

var errOther = errors.New("it has been replaced by another one since it was asked")

// isChecked reports whether a file is still the one that was asked.
func (u *upgrader) isChecked(path string) bool {
	is, err := os.Stat(path)
	return err == nil && os.SameFile(u.checked, is) && is.Size() == u.checked.Size() && is.ModTime().Equal(u.checked.ModTime())
}

// Release lets everything go on. It waits for Hush, which ends at once when its context does.
func (u *upgrader) Release() {
	u.hushing.Lock()
	defer u.hushing.Unlock()
	if u.holding {
		u.holding = false
		u.order <- func() error { return nil }
		if err := <-u.ended; err != nil {
			u.h.log.Debug().Err(err).Msg("nobody forks any more") // Main has ended
		}
	}
	u.h.sockets.Rouse()
	for _, p := range u.hushed {
		p.Resume()
	}
	u.hushed = nil
}

// become executes the next program, on the main thread, while nothing happens.
func (h *Host) become(next supervisor.Successor, state supervisor.Handed) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	words, err := h.output.Freeze(ctx)
	if err != nil {
		return err
	}
	defer h.output.Thaw()
	doc, err := h.document(ctx, state)
	if err != nil {
		return err
	}
	doc.Logs = words
	if doc.Back, err = handover.Self(); err != nil {
		return err
	}
	defer handover.Close(doc.Back)
	doc.Inherited = doc.descriptors()
	file, err := handover.Store(doc, words.Blob)
	if err != nil {
		return err
	}
	defer handover.Close(file)
	return h.spawner.Replace(worker.Replacement{
		Path: next.Path, Argv: os.Args, Env: append(environ(), envState+"="+strconv.Itoa(file)),
		Inherit: append(slices.Clone(doc.Inherited), file), Signals: h.signals,
	})
}

// environ is our own environment, without what one program says to the next.
func environ() []string {
	var all []string
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); name != envState && name != envFailed && name != envCaught {
			all = append(all, v)
		}
	}
	return all
}

// outline is a document with nothing in it but the state of the supervisor.
func (h *Host) outline(state supervisor.Handed) *handed {
	f := formats()
	return &handed{
		Header: handover.Header{Format: f.Now, Least: f.Least, From: h.opt.Version, PID: os.Getpid()},
		Name:   h.opt.Name, Supervisor: state, Back: -1,
	}
}

// document is what this program knows, but for the words of workers.
func (h *Host) document(ctx context.Context, state supervisor.Handed) (*handed, error) {
	doc := h.outline(state)
	doc.Taken, doc.Tmp, doc.Parts = h.spares.hand(), h.tmp.Hand(), map[string]part{}
	if h.groups != nil {
		tree := h.groups.Hand()
		doc.Groups = &tree
	}
	if h.places != nil {
		doc.Places = new(h.places.Saved())
	}
	var err error
	if doc.Sockets, err = h.sockets.Hand(); err != nil {
		return nil, err
	}
	for _, p := range h.parts {
		data, fds, err := p.part.Hand(ctx, doc.Supervisor.Awaits)
		if err != nil {
			return nil, fmt.Errorf("cannot hand on %s: %w", p.name, err)
		}
		text, err := json.Marshal(data)
		if err != nil {
			return nil, fmt.Errorf("cannot hand on %s: %w", p.name, err)
		}
		doc.Parts[p.name] = part{Data: text, Descriptors: fds}
	}
	return doc, nil
}

// checkTime is how long a program may take to say whether it can go on.
const checkTime = 20 * time.Second

// mostSaid is more bytes than a program has to say; it may be one that never ends.
const mostSaid = 1 << 20

var errNoAnswer = errors.New("it is no brood that can be upgraded to")

// Check runs the next program as a child, with the state as it is now.
func (u *upgrader) Check(ctx context.Context, path string, state supervisor.Handed) (supervisor.Successor, error) {
	h := u.h
	next := supervisor.Successor{Path: path}
	if path == "" {
		next.Path = h.program
	}
	var err error
	if u.checked, err = os.Stat(next.Path); err != nil {
		return next, fmt.Errorf("cannot find the next program: %w", err)
	}
	file, err := handover.Store(h.outline(state), nil)
	if err != nil {
		return next, err
	}
	defer handover.Close(file)
	said, complained, err := u.run(ctx, next.Path, file)
	var a Answer
	if text := lastLine(complained); err != nil && text != "" {
		return next, fmt.Errorf("%s: %w", next.Path, errors.New(text))
	} else if err != nil {
		return next, fmt.Errorf("%s: %w", next.Path, err)
	}
	if err := json.Unmarshal([]byte(said), &a); err != nil || !a.OK {
		return next, fmt.Errorf("%s: %w", next.Path, errNoAnswer)
	}
	next.Version = a.Version
	return next, nil
}

// Answer is what a program writes to its stdout, as JSON, that was asked whether it can go on, and can.
type Answer struct {
	OK      bool   `json:"ok"`
	Version string `json:"version"`
}

// CheckCommand is the command by which a program is asked. The arguments of the running one follow, and the state is
// descriptor 3.
const CheckCommand = "upgrade-check"

// StateFD is the descriptor of the state for CheckCommand.
const StateFD = 3

func (u *upgrader) run(ctx context.Context, path string, file int) (said, complained string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var outs [2]int
	for i := range outs {
		if outs[i], err = handover.Nameless("brood-upgrade-check"); err != nil {
			return "", "", fmt.Errorf("cannot make a file: %w", err)
		}
		defer handover.Close(outs[i])
	}
	err = u.h.world.Run(ctx, worker.Command{
		Argv: append([]string{path, CheckCommand, "--"}, os.Args[1:]...), Env: environ(),
		Stdin: worker.DevNull, Stdout: outs[0], Stderr: outs[1], Files: []int{file},
		Limits: []worker.Limit{{Resource: syscall.RLIMIT_FSIZE, Soft: mostSaid, Hard: mostSaid}},
	}, "the check")
	return text(outs[0]), text(outs[1]), err
}

func text(fd int) string {
	all, err := handover.ReadAll(fd)
	if err != nil {
		return ""
	}
	return string(all)
}

// lastLine is the last one that is not empty, with what a person may see of it.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
