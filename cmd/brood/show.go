package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/progress"
	"github.com/broodctl/brood/supervisor"
)

// askAndShow asks for something that takes its time, and shows how it goes while it waits for its end.
func askAndShow(c *cli.Context, req request) error {
	format, err := outputFormat(c)
	if err != nil {
		return err
	}
	req.body.Abort = c.Bool("abort")
	switch {
	case !c.Bool("wait"):
		return send(c, req, 0)
	case req.body.Abort:
		return send(c, req, c.Duration("timeout"))
	}
	client, err := target(c)
	if err != nil {
		return err
	}
	if err := req.resolve(c, client); err != nil {
		return err
	}
	w := &waiting{c: c, client: client, verb: req.verb, body: req.body, json: format == formatJSON}
	return w.run()
}

// waiting is a request whose end somebody waits for.
type waiting struct {
	c      *cli.Context
	client *control.Client
	verb   supervisor.Verb
	body   control.Body
	json   bool
}

func (w *waiting) run() error {
	ctx, stop := signal.NotifyContext(w.c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	wait := w.c.Duration("timeout")
	asking, cancel := context.WithTimeout(ctx, wait+answerTime)
	defer cancel()
	show, end := w.show(asking)
	defer end()
	result, err := w.ask(asking, wait)
	left := ctx.Err() != nil
	end()
	if snap, err := statusWithin(w.c.Context, w.client, answerTime); err == nil && !left {
		show.Update(snap) // the verdict may overtake the last one of the stream
	}
	show.End(verdict(result, err, left))
	return w.said(w.ending(result, err, left))
}

// show begins to show what happens, and returns when there is something to compare it with, so that nothing of what is asked
// for after that is missed. The function that it returns ends that.
func (w *waiting) show(ctx context.Context) (*progress.Progress, func()) {
	show := w.progress()
	ctx, cancel := context.WithCancel(ctx)
	seen, first := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(seen)
		// What cannot be shown is no reason not to wait: the verdict comes another way.
		_ = show.Follow(announce(w.client.Watch(ctx), first))
	}()
	select {
	case <-first:
	case <-seen:
	case <-ctx.Done():
	}
	return show, func() {
		cancel()
		<-seen
	}
}

// ask asks, and waits for the end. The number of workers is another one long before there are as many.
func (w *waiting) ask(ctx context.Context, wait time.Duration) (control.Result, error) {
	begin := time.Now()
	result, err := w.client.Do(ctx, w.verb, w.body, wait)
	if err != nil || w.verb != supervisor.Scale || result.Operation == "" {
		return result, err
	}
	op, err := w.client.Operation(ctx, result.Operation, wait-time.Since(begin))
	switch {
	case err != nil:
		return result, err
	case op.State == control.OperationFailed:
		return result, &control.RefusedError{Text: op.Error, Code: op.Code, Help: op.Hint}
	case op.State == control.OperationRunning:
		result.Accepted = true
		return result, fmt.Errorf("cannot wait for the end of %s: %w", w.verb, context.DeadlineExceeded)
	}
	return result, nil
}

// ending is what the command ends with, and what there is to say about it.
func (w *waiting) ending(result control.Result, err error, left bool) error {
	wait := w.c.Duration("timeout")
	switch {
	case left:
		_, _ = fmt.Fprintf(w.c.App.ErrWriter, "\n%s goes on; %s\n", w.verb, w.goesOn())
		return exitCode(exitLeft)
	case err != nil && result.Accepted:
		return &userError{
			code: exitFailed, err: fmt.Errorf("%s is not through after %s, and goes on", w.verb, wait),
			hint: w.goesOn(),
		}
	case errors.Is(err, control.ErrRefused):
		return refused(w.verb, result, err)
	case err != nil:
		return tooLate(err, w.client, wait+answerTime)
	case !w.json:
		_, _ = fmt.Fprintln(w.c.App.Writer, harmless(result.Text))
	}
	return nil
}

// goesOn says what one can do about something that nobody waits for any longer.
func (w *waiting) goesOn() string {
	if w.verb == supervisor.Roll || w.verb == supervisor.Reload {
		return fmt.Sprintf("brood status shows how it stands, brood %s --abort takes it back", w.verb)
	}
	return "brood status shows how it stands"
}

// said marks what programs have been told with the last of the events.
func (w *waiting) said(err error) error {
	if err != nil && w.json {
		return toldError{err}
	}
	return err
}

func verdict(result control.Result, err error, left bool) progress.Verdict {
	switch {
	case left:
		return progress.Verdict{Outcome: progress.Left}
	case err != nil:
		return progress.Verdict{Outcome: progress.Failed, Text: err.Error(), Lines: result.Lines}
	}
	return progress.Verdict{Outcome: progress.Done, Text: result.Text}
}

// progress shows to people on stderr, so that stdout has the verdict alone, and to programs on stdout.
func (w *waiting) progress() *progress.Progress {
	opt := progress.Options{Out: w.c.App.ErrWriter, Pool: w.body.Pool}
	switch fd, tty := terminal(w.c.App.ErrWriter); {
	case w.json:
		opt.Out, opt.Form = w.c.App.Writer, progress.JSON
	case tty:
		opt.Form = progress.Live
		opt.Colour = colourOn(tty, w.c.Bool("no-color"))
		opt.Size = func() (columns, rows int) {
			columns, rows, err := term.GetSize(fd)
			if err != nil {
				return 0, 0
			}
			return columns, rows
		}
	}
	return progress.New(opt)
}

// announce passes a stream on, and closes first when its first element has been dealt with.
func announce(news iter.Seq2[supervisor.Snapshot, error], first chan struct{}) iter.Seq2[supervisor.Snapshot, error] {
	return func(yield func(supervisor.Snapshot, error) bool) {
		told := false
		for snap, err := range news {
			goOn := yield(snap, err)
			if !told {
				told = true
				close(first)
			}
			if !goOn {
				return
			}
		}
	}
}
