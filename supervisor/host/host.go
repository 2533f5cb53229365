package host

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/control"
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
	// Colours are for the names of workers in front of their lines, where a terminal shows them.
	Colours bool
	// Control is the path of a socket where the commands of brood are answered; "" is none. See ControlPath.
	Control string
	// File is where the first description came from, for people, and Load reads it again for a reload. With a nil Load
	// there is nothing to read, and a reload relays a signal or rolls. Load may block.
	File string
	Load func() (plan.Desired, error)
}

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
	undo    []func()                              // what Close does, last first
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
	h := &Host{opt: opt, signals: make(chan os.Signal, 16)} // bursts of TTIN and TERM; the loop empties it at once
	if len(opt.Signals) > 0 {                               // none is all to Notify
		signal.Notify(h.signals, opt.Signals...)
		h.atClose(func() { signal.Stop(h.signals) }) // nobody reads them any more, and TERM is to end who goes on
	}
	// A reader of our output that went away must not kill us. SIG_IGN would be inherited by the workers, a handler is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := h.open(); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
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
	h.openLog()
	h.tmp = worker.NewTmpDirs(h.opt.Name, func(err error) { h.log.Warn().Err(err).Msg("temporary files are left") })
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

// openLog makes what the workers and the supervisor write to.
func (h *Host) openLog() {
	troubles := &troubleLog{}
	h.output = logs.New(logs.Options{
		Poller: h.poller, Stdout: syscall.Stdout, Stderr: syscall.Stderr,
		ScreenOut: screen(syscall.Stdout, h.opt.Colours), ScreenErr: screen(syscall.Stderr, h.opt.Colours), Report: troubles.report,
	})
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
