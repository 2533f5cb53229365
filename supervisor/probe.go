package supervisor

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

const (
	probeEvery   = 100 * time.Millisecond
	probeTimeout = 5 * time.Second
)

// probe tries a check again and again, until it succeeds or nobody waits for it any more.
func (p *pool) probe(rec *record, check func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	rec.cancel = cancel
	ref := rec.ref
	p.sup.goOn(func() {
		defer cancel()
		pause := time.NewTicker(probeEvery)
		defer pause.Stop()
		last := ""
		for {
			try, end := context.WithTimeout(ctx, probeTimeout)
			err := check(try)
			end()
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				p.sup.mail.post(proven{pool: p, ref: ref, how: "probed"})
				return
			}
			if text := err.Error(); text != last {
				last = text
				p.sup.mail.post(unproven{pool: p, ref: ref, err: err})
			}
			select {
			case <-pause.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// get asks one worker, and no other, for the probe path. On a shared socket that cannot be done, which the command
// line refuses beforehand.
func (p *pool) get(ctx context.Context, ref machine.Ref) error {
	l := p.probed()
	if l == nil {
		return fmt.Errorf("cannot probe: %w", listener.ErrNoLane)
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if l.Mode() == listener.PerSlot {
				var d net.Dialer
				return d.DialContext(ctx, "tcp", net.JoinHostPort(loopbackOf(l), strconv.Itoa(l.Port(ref.Slot))))
			}
			return l.Dial(ctx, ref.Slot, side(ref.Side))
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	host := net.JoinHostPort(loopbackOf(l), strconv.Itoa(l.Port(ref.Slot)))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+p.cfg.Ready.Path, http.NoBody)
	if err != nil {
		return fmt.Errorf("cannot probe: %w", err)
	}
	req.Header.Set("User-Agent", "brood-probe")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("cannot probe: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("cannot take %s for ready: status %d", host+p.cfg.Ready.Path, resp.StatusCode)
	}
	return nil
}

// probed is the listener that HTTP probes go to: the first one that can reach a single worker.
func (p *pool) probed() Listener {
	if i := slices.IndexFunc(p.cfg.Listeners, CanProbe); i >= 0 {
		return p.cfg.Listeners[i]
	}
	return nil
}

// CanProbe reports whether one worker of a listener can be reached over HTTP without the others.
func CanProbe(l Listener) bool {
	return !l.Datagram() && (l.Mode() == listener.PerSlot || l.Mode() == listener.Sharded)
}

// loopbackOf is the address under which this machine reaches a listener that may be bound to all.
func loopbackOf(l Listener) string {
	host := l.Address().Host
	switch host {
	case "", "*", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return host
}

// checker runs the readiness command in the worker's own environment, in a process group of its own. It goes through
// the same spawner as the workers, because one process must have one reaper.
func (p *pool) checker(rec *record) func(context.Context) error {
	cmd, err := p.checkCommand(rec)
	return func(ctx context.Context) error {
		if err != nil {
			return err
		}
		return p.sup.cfg.World.runToEnd(ctx, cmd)
	}
}

func (p *pool) checkCommand(rec *record) (worker.Command, error) {
	facts, _ := p.facts(rec)
	made, err := p.cfg.Recipe.Build(facts)
	env := slices.DeleteFunc(made.Env, func(kv string) bool { // the check has no sockets
		return strings.HasPrefix(kv, "LISTEN_") || strings.HasPrefix(kv, "WATCHDOG_") || strings.HasPrefix(kv, "BROOD_FDS=")
	})
	return worker.Command{
		Argv: []string{"/bin/sh", "-c", p.cfg.Ready.Command}, Env: append(env, "BROOD_PID="+strconv.Itoa(rec.proc.PID())), Dir: made.Dir,
		Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: worker.DevNull,
	}, err
}

// runToEnd runs a command and waits for it; with the context it is killed.
func (w World) runToEnd(ctx context.Context, cmd worker.Command) error {
	type result struct {
		proc Process
		err  error
	}
	begun, ended := make(chan result, 1), make(chan worker.Exit, 1)
	cmd.OnExit = func(e worker.Exit) { ended <- e }
	w.Launch(cmd, func(proc Process, err error) { begun <- result{proc, err} })
	r := <-begun
	if r.err != nil {
		return r.err
	}
	select {
	case e := <-ended:
		if e.Remains {
			_ = r.proc.SignalGroup(syscall.SIGKILL) // a check leaves nobody behind
		}
		if !e.Success() {
			return fmt.Errorf("cannot take worker for ready: check ended with %s", e)
		}
		return nil
	case <-ctx.Done():
		_ = r.proc.SignalGroup(syscall.SIGKILL)
		if e := <-ended; e.Remains {
			_ = r.proc.SignalGroup(syscall.SIGKILL)
		}
		return fmt.Errorf("cannot take worker for ready: check: %w", ctx.Err())
	}
}
