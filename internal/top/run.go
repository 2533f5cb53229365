package top

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Terminal is where a table is shown, and how often it is measured.
type Terminal struct {
	In       io.Reader
	Out      io.Writer
	Interval time.Duration
	// Width and Height are those of an Out that is no terminal; others say themselves how large they are.
	Width, Height int
}

// askTime is how long a request may take. What was asked for goes on behind it.
const askTime = 10 * time.Minute

// Run shows the table until somebody leaves it, by a key or by SIGINT or SIGTERM. The terminal is then as it was.
func Run(ctx context.Context, source Source, opt Options, terminal Terminal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &rim{ctx: ctx, source: source}
	program := tea.NewProgram(shell{model: New(opt), rim: r}, tea.WithInput(terminal.In), tea.WithOutput(terminal.Out),
		tea.WithWindowSize(terminal.Width, terminal.Height), tea.WithoutSignalHandler())
	r.send = program.Send
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	r.wg.Go(func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		program.Quit() // which does nothing behind its end
	})
	r.wg.Go(func() {
		f := feed{source: source, interval: terminal.Interval, send: program.Send}
		f.run(ctx)
	})
	r.wg.Go(func() { r.history.follow(ctx, source) })
	_, err := program.Run()
	cancel()
	r.wg.Wait()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	return err
}

// rim does what a model wants done.
type rim struct {
	ctx     context.Context //nolint:containedctx // it is the time of the one run that a rim is made for
	source  Source
	history history
	send    func(tea.Msg)
	wg      sync.WaitGroup
}

// perform never waits; results come as messages.
func (r *rim) perform(effects []Effect) tea.Cmd {
	var cmd tea.Cmd
	for _, e := range effects {
		switch e := e.(type) {
		case Quit:
			cmd = tea.Quit
		case Suspend:
			cmd = tea.Suspend
		case Look:
			r.wg.Go(func() { r.send(r.look(e)) })
		case Ask:
			r.wg.Go(func() { r.send(r.ask(e)) })
		}
	}
	return cmd
}

func (r *rim) look(e Look) Seen {
	d := detailOf(r.ctx, r.source, e)
	d.Events, d.NoEvents = r.history.of(e.Worker.Pool, e.Worker.Slot)
	return Seen{Worker: e.Worker, Detail: d}
}

func (r *rim) ask(e Ask) Answered {
	ctx, cancel := context.WithTimeout(r.ctx, askTime+detailTime)
	defer cancel()
	result, err := r.source.Do(ctx, e.Verb, e.Body, askTime)
	return Answered{What: e.What, Text: result.Text, Err: err, Lines: result.Lines}
}

// shell is a model as the terminal's library wants it.
type shell struct {
	model Model
	rim   *rim
}

// Init has nothing to do: the feed runs by itself.
func (shell) Init() tea.Cmd { return nil }

// Update passes a message on, and has done what follows.
func (s shell) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var effects []Effect
	s.model, effects = s.model.Update(msg)
	return s, s.rim.perform(effects)
}

// View is the model's screen, on the terminal's other page, so that what was there before is there again behind it.
func (s shell) View() tea.View {
	v := tea.NewView(s.model.View())
	v.AltScreen = true
	return v
}
