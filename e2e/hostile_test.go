//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/supervisor"
)

// someone is a user who may look, and tries everything else.
const someone = 65534

// TestHostileClients: clients of the API that are slow, that hang, or that mean harm hold up neither rollouts, nor signals,
// nor the answers to others.
func TestHostileClients(t *testing.T) {
	testhost.Need(t, testhost.Root)
	file := filepath.Join(scratch(t, 0), "web.toml")
	text := fmt.Sprintf("[supervisor.control]\nread = [%q]\nwrite = []\n[listen.http]\naddress = %q\n[pool.web]\ncommand = %s\nworkers = 4\nlisten = [\"http\"]\n[pool.web.rollout]\nsettle = \"0s\"\n",
		fmt.Sprint(someone), "127.0.0.1:0", list(guestBin(), testguest.Word, "http"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	b := launch(t, options{file: file})
	if err := os.Chmod(filepath.Dir(b.control), 0o755); err != nil {
		t.Fatal(err)
	}
	calm := b.measure(t)
	t.Logf("nobody else:            %s", calm)
	for _, tt := range []struct {
		name   string
		attack func(a *attack)
	}{
		{"slow", (*attack).trickle},
		{"hanging", (*attack).readNothing},
		{"malicious", (*attack).flood},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &attack{s: newStranger(t, someone, b.control)}
			var attackers sync.WaitGroup
			ctx, stop := context.WithCancel(t.Context())
			a.ctx = ctx
			attackers.Go(func() { tt.attack(a) })
			b.await("the attack to be under way", func() bool { return a.made.Load() >= 200 })
			got := b.measure(t)
			stop()
			attackers.Wait()
			t.Logf("%-10s %5d conns:  %s", tt.name, a.made.Load(), got)
			if got.roll > 3*calm.roll+3*time.Second || got.signal > time.Second || got.status > time.Second {
				t.Errorf("held up: %s, and without it %s", got, calm)
			}
		})
	}
	t.Logf("the most memory that brood had: %s", grepped(t, fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid), "VmHWM:"))
	if p := b.pool(); p.Restarts != 0 || !p.whole() {
		t.Errorf("%s", p)
	}
	b.stop()
}

// delays are how long things took; of several the longest.
type delays struct{ roll, signal, status time.Duration }

func (d delays) String() string {
	return fmt.Sprintf("roll of 4 workers %s, signal to its event at most %s, status at most %s",
		d.roll.Round(time.Millisecond), d.signal.Round(100*time.Microsecond), d.status.Round(100*time.Microsecond))
}

// measure rolls, sends signals and asks, all at once.
func (b *brood) measure(t *testing.T) delays {
	t.Helper()
	var d delays
	client := control.NewClient(b.control)
	var all sync.WaitGroup
	all.Go(func() {
		begin := time.Now()
		if _, err := client.Do(t.Context(), supervisor.Roll, control.Body{}, patience); err != nil {
			t.Error(err)
		}
		d.roll = time.Since(begin)
	})
	all.Go(func() {
		for range 100 {
			begin := time.Now()
			if _, err := client.Status(t.Context()); err != nil {
				t.Error(err)
				return
			}
			d.status = max(d.status, time.Since(begin))
		}
	})
	all.Go(func() {
		for range 20 {
			took, err := b.signalled(t.Context(), client)
			if err != nil {
				t.Error(err)
				return
			}
			d.signal = max(d.signal, took)
		}
	})
	all.Wait()
	return d
}

// signalled sends a signal that means nothing, and waits until brood tells that it has come.
func (b *brood) signalled(ctx context.Context, client *control.Client) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begin := time.Now()
	done := make(chan error, 1)
	go func() {
		for _, err := range client.Events(ctx, control.EventsWanted{Kinds: []string{"signal", "state"}}) {
			done <- err
			return
		}
		done <- io.EOF
	}()
	for {
		if err := b.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			return 0, err
		}
		sent := time.Now()
		select {
		case err := <-done:
			return time.Since(sent), err
		case <-time.After(200 * time.Millisecond): // the stream had not begun
			if time.Since(begin) > patience {
				return 0, context.DeadlineExceeded
			}
		}
	}
}

// attack is what one user does to a socket.
type attack struct {
	ctx  context.Context
	s    *stranger
	made atomic.Int64 // connections
}

// hold keeps up to n connections open, each of which does something until it is closed, and replaces those that are.
func (a *attack) hold(n int, do func(conn net.Conn)) {
	room := make(chan struct{}, n)
	var open sync.WaitGroup
	defer open.Wait()
	for a.ctx.Err() == nil {
		room <- struct{}{}
		conn := a.s.connect()
		if conn == nil {
			<-room
			continue
		}
		a.made.Add(1)
		end := context.AfterFunc(a.ctx, func() { conn.Close() })
		open.Go(func() {
			do(conn)
			end()
			conn.Close()
			<-room
		})
	}
}

// trickle sends a request byte by byte, some in the headers and some in the body.
func (a *attack) trickle() {
	requests := []string{
		"GET /v1/status HTTP/1.1\r\nHost: brood\r\nX-Filler: " + strings.Repeat("x", 10_000),
		"POST /v1/plan HTTP/1.1\r\nHost: brood\r\nContent-Length: 10000\r\n\r\n{\"pool\": \"" + strings.Repeat("x", 9_000),
	}
	var n atomic.Int64
	a.hold(200, func(conn net.Conn) {
		request := requests[n.Add(1)%2]
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := range len(request) {
			if _, err := conn.Write([]byte{request[i]}); err != nil {
				return
			}
			<-tick.C
		}
	})
}

// readNothing asks for all that is long, and reads none of it.
func (a *attack) readNothing() {
	paths := []string{"/v1/watch", "/v1/events?after=0", "/v1/logs?follow=true", "/v1/status", "/v1/operations/op-1?wait_seconds=3600", "/v1/metrics"}
	var n atomic.Int64
	a.hold(200, func(conn net.Conn) {
		path := paths[n.Add(1)%int64(len(paths))]
		for range 1000 {
			if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: brood\r\n\r\n", path); err != nil {
				return
			}
		}
		<-a.ctx.Done()
	})
}

// flood connects again and again, with headers that never end, bodies that never end, what is no HTTP, and what is
// forbidden.
func (a *attack) flood() {
	filler := strings.Repeat("x", 1<<16)
	heads := []string{
		"GET /v1/status HTTP/1.1\r\nHost: brood\r\nX-Filler: ",
		"POST /v1/plan HTTP/1.1\r\nHost: brood\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n",
		"POST /v1/roll HTTP/1.1\r\nHost: brood\r\nContent-Length: 1000000000\r\n\r\n",
		"\x16\x03\x01\x02\x00",
		"POST /v1/kill HTTP/1.1\r\nHost: brood\r\nContent-Length: 2\r\n\r\n{}",
	}
	var n atomic.Int64
	a.hold(100, func(conn net.Conn) {
		i := int(n.Add(1)) % len(heads)
		if _, err := io.WriteString(conn, heads[i]); err != nil || slices.Contains([]int{3, 4}, i) {
			_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			_, _ = io.Copy(io.Discard, conn)
			return
		}
		for range 64 {
			if _, err := io.WriteString(conn, filler); err != nil {
				return
			}
		}
	})
}

// grepped is what follows a word in its line of a file.
func grepped(t *testing.T, path, word string) string {
	t.Helper()
	for line := range strings.Lines(read(t, path)) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
