package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/lease/remote"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// Options say what a Host is called, and what of the process it may use.
type Options struct {
	// Name is the supervisor's: in its log, its control groups and its directories.
	Name string
	// Version is shown beside it.
	Version string
	// Log makes the log out of where it is to be written: a writer to stderr that never blocks. Nil is JSON, from info on.
	Log func(w io.Writer) zerolog.Logger
	// Signals are those that the supervisor gets; nil is supervisor.SignalsWanted. The others stay the program's own.
	Signals []os.Signal
	// Caught is what CatchSignals returned; nil if it was not called.
	Caught chan os.Signal
	// Colours are for the names of workers in front of their lines, where a terminal shows them.
	Colours bool
	// Upgradable says that the program understands CheckCommand, and can be replaced by another version of it while it runs.
	Upgradable bool
	// UpgradeOnReload has SIGHUP look first whether such a version is there.
	UpgradeOnReload bool
	// Control is the path of a socket where the commands of brood are answered; "" is none. See ControlPath.
	Control string
	// File is where the first description came from, for people, and Load reads it again for a reload. With a nil Load
	// there is nothing to read, and a reload relays a signal or rolls. Load may block.
	File string
	Load func() (plan.Desired, error)
}

// CatchSignals is for a program that is Upgradable, with all signals that a supervisor wants: it has those caught from its
// first moment on that arrive while it takes over from another, and is nil if it does not. The channel is for Options.
func CatchSignals() chan os.Signal {
	if _, is := os.LookupEnv(envState); !is {
		return nil
	}
	c := newSignals()
	worker.NotifySignals(c, supervisor.SignalsWanted()...)
	return c
}

// newSignals has room for bursts of TTIN and TERM; the loop empties it at once.
func newSignals() chan os.Signal { return make(chan os.Signal, 64) }

// Host is this process as a supervisor needs it.
type Host struct {
	opt     Options
	log     zerolog.Logger
	signals chan os.Signal
	poller  *poll.Poller
	output  *logs.Mux
	sockets *listener.Set
	kept    atomic.Pointer[kept] // nil if nobody keeps sockets for us
	spares  *spares
	spawner *worker.Spawner
	tmp     *worker.TmpDirs
	socket  *control.Socket // nil if there is none
	world   supervisor.World
	sup     atomic.Pointer[supervisor.Supervisor] // nil until Supervise
	groups  *cgroup.Tree                          // nil if there are none
	places  *remote.Engine                        // nil unless it is for several machines
	parts   []namedPart
	program string   // where this one came from
	doc     *handed  // what the program before has left; nil if there was none, and once it is ours
	file    int      // that it is in; -1 if there is none
	failed  string   // why the next one has given it back; "" if it has not
	rouse   func()   // lets the poller begin, if there is a document
	undo    []func() // what Close does, last first
	atEnd   func(<-chan os.Signal)
}

const (
	// flushTime is how long the end waits for a slow reader of our output.
	flushTime = 2 * time.Second
	// clearTime is how long it waits until the workers' temporary files are removed.
	clearTime = 5 * time.Second
)

// ControlPath is where the commands of brood look for the control socket of a supervisor of this name.
func ControlPath(name string) string { return control.DefaultPath(os.Getenv, os.Geteuid(), name) }

// New takes over the process; see the package's own words. No worker is started, and no address is taken yet but that of
// the control socket.
func New(opt Options) (*Host, error) {
	if err := control.CheckName(opt.Name); err != nil {
		return nil, err
	}
	if opt.Signals == nil {
		opt.Signals = supervisor.SignalsWanted()
	}
	h := &Host{opt: opt, signals: opt.Caught, file: -1}
	if len(opt.Signals) > 0 { // none is all to Notify
		if h.signals == nil {
			h.signals = newSignals()
			worker.NotifySignals(h.signals, opt.Signals...)
		}
		h.atClose(func() { signal.Stop(h.signals) }) // nobody reads them any more, and TERM is to end who goes on
	}
	// A reader of our output that went away must not kill us. SIG_IGN would be inherited by the workers, a handler is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := h.begin(); err != nil {
		err = h.GiveBack(err)
		h.Close()
		return nil, err
	}
	return h, nil
}

// begin finds out whether another program was here before us, and opens what is needed.
func (h *Host) begin() error {
	if path, err := os.Executable(); err == nil {
		h.program = strings.TrimSuffix(path, " (deleted)")
	}
	var err error
	h.doc, h.file, h.failed, err = inherit()
	if err != nil {
		return fmt.Errorf("cannot take over: %w", err)
	}
	if h.doc != nil {
		h.doc.Supervisor.Upgrade.Failed = h.failed
	}
	return h.open()
}

func (h *Host) open() error {
	if err := worker.SealInherited(); err != nil {
		return err
	}
	if err := worker.BecomeSubreaper(); err != nil {
		return err
	}
	var err error
	if h.poller, err = poll.New(); err != nil {
		return err
	}
	h.atClose(func() { _ = h.poller.Close() })
	if h.doc != nil { // what workers say is not ours before there is no way back
		h.rouse = sync.OnceFunc(h.poller.Pause())
		h.atClose(h.rouse)
	}
	if err := h.openLog(); err != nil {
		return err
	}
	if err := h.openTmp(); err != nil {
		return err
	}
	h.atClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), clearTime)
		defer cancel()
		h.tmp.Close(ctx)
	})
	if h.opt.Control == "" {
		return nil
	}
	if h.socket, err = control.Listen(h.opt.Control, control.Access{}); err != nil {
		return err
	}
	h.atClose(h.socket.Remove)
	return nil
}

// openTmp makes room for the workers' temporary files.
func (h *Host) openTmp() error {
	left := func(err error) { h.log.Warn().Err(err).Msg("temporary files are left") }
	if h.doc == nil {
		h.tmp = worker.NewTmpDirs(h.opt.Name, left)
		return nil
	}
	var err error
	h.tmp, err = worker.AdoptTmpDirs(h.opt.Name, h.doc.Tmp, left)
	return err
}

// openLog makes what the workers and the supervisor write to.
func (h *Host) openLog() error {
	troubles := &troubleLog{}
	opt := logs.Options{
		Poller: h.poller, Stdout: syscall.Stdout, Stderr: syscall.Stderr,
		ScreenOut: screen(syscall.Stdout, h.opt.Colours), ScreenErr: screen(syscall.Stderr, h.opt.Colours), Report: troubles.report,
	}
	if h.doc != nil && h.doc.Logs != nil {
		var err error
		if h.output, err = logs.Restore(opt, h.doc.Logs); err != nil {
			return err
		}
	} else {
		h.output = logs.New(opt)
	}
	h.atClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		_ = h.output.Close(ctx) // what nobody reads is lost
	})
	if h.opt.Log != nil {
		h.log = h.opt.Log(h.output.Log())
	} else {
		h.log = zerolog.New(h.output.Log()).Level(zerolog.InfoLevel).With().Timestamp().Logger()
	}
	troubles.to.Store(&h.log)
	return nil
}

func (h *Host) atClose(f func()) { h.undo = append(h.undo, f) }

// Close gives back what New and Supervise took, and waits a moment for whoever reads what was written.
func (h *Host) Close() {
	for _, undo := range slices.Backward(h.undo) {
		undo()
	}
	h.undo = nil
}

// Log is the supervisor's log, for others of the same process: it never blocks.
func (h *Host) Log() zerolog.Logger { return h.log }

// Output is where the workers' words go, for the packages of this module that count and show them.
func (h *Host) Output() *logs.Mux { return h.output }

// World is what the supervisor works with, after Supervise. Its Run runs a command, as os/exec does elsewhere; one that is
// given before the Host runs waits for that.
func (h *Host) World() supervisor.World { return h.world }
