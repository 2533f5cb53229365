package require_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/require"
)

var errNotYet = errors.New("not yet")

func parseAll(t testing.TB, texts ...string) []require.Requirement {
	t.Helper()
	var rs []require.Requirement
	for _, text := range texts {
		rs = append(rs, parse(t, text))
	}
	return rs
}

func words(unmet []*require.Unmet) []string {
	var words []string
	for _, u := range unmet {
		words = append(words, u.Requirement.String()+": "+u.Error())
	}
	return words
}

func TestAllTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		w := require.World{Run: func(context.Context, string) error {
			at = append(at, time.Since(start))
			if len(at) < 8 {
				return errNotYet
			}
			return nil
		}}
		if unmet := require.All(t.Context(), time.Minute, parseAll(t, "exec:x"), w); unmet != nil {
			t.Error(words(unmet))
		}
		want := []time.Duration{0, 50, 150, 350, 750, 1550, 2550, 3550}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(at, want) {
			t.Errorf("attempts at %v", at)
		}
	})
}

func TestAllGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, looks := time.Now(), 0
		w := require.World{
			Dir:    t.TempDir(),
			Getenv: func(string) (string, bool) { looks++; return "", false },
			Run: func(ctx context.Context, command string) error {
				switch command {
				case "true":
					return nil
				case "hangs":
					<-ctx.Done()
					return context.Cause(ctx)
				}
				return errNotYet
			},
		}
		rs := parseAll(t, "exec:false", "exec:true", "env:A", "exec:hangs", "file:none", "exec:false")
		got := words(require.All(t.Context(), 10*time.Second, rs, w))
		want := []string{
			`exec:false: command "false" fails: not yet`,
			`env:A: environment variable A is not set`,
			`exec:hangs: command "hangs" fails: timed out`,
			`file:none: file ` + filepath.Join(w.Dir, "none") + ` cannot be read: no such file or directory`,
			`exec:false: command "false" fails: not yet`,
		}
		if diff := cmp.Diff(want, got); diff != "" || looks != 1 || time.Since(start) != 10*time.Second {
			t.Errorf("after %v, %d looks at the environment: %s", time.Since(start), looks, diff)
		}
	})
}

func TestAllWithoutTimeoutTriesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, runs := time.Now(), 0
		w := require.World{Run: func(context.Context, string) error { runs++; return errNotYet }}
		unmet := require.All(t.Context(), 0, parseAll(t, "exec:x"), w)
		if len(unmet) != 1 || !errors.Is(unmet[0], errNotYet) || runs != 1 || time.Since(start) != 0 {
			t.Errorf("%d runs in %v: %v", runs, time.Since(start), words(unmet))
		}
	})
}

func TestAllEndsWithTheContext(t *testing.T) {
	stop := errors.New("stopped by a signal")
	for _, hangs := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			w := require.World{Run: func(ctx context.Context, _ string) error {
				if hangs {
					<-ctx.Done()
				}
				return errNotYet
			}}
			start := time.Now()
			time.AfterFunc(300*time.Millisecond, func() { cancel(stop) })
			unmet := require.All(ctx, time.Hour, parseAll(t, "exec:x"), w)
			if len(unmet) != 1 || time.Since(start) != 300*time.Millisecond || errors.Is(unmet[0], stop) != hangs {
				t.Errorf("after %v: %v", time.Since(start), words(unmet))
			}
		})
	}
}

func TestAllWithoutARunnerDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if unmet := require.All(t.Context(), time.Hour, parseAll(t, "exec:x"), require.World{}); len(unmet) != 1 || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), words(unmet))
		}
	})
}

// TestAllSeesWhatComes has a file and a server that are there only after the first attempt failed.
func TestAllSeesWhatComes(t *testing.T) {
	dir := t.TempDir()
	socket, key := filepath.Join(dir, "sock"), filepath.Join(dir, "key")
	tcp := closedPort(t)
	opened := make(chan net.Listener, 1)
	runs := 0
	w := require.World{Dir: dir, Run: func(context.Context, string) error {
		// The second run is 50 ms after the first one, by which all others were tried as well.
		if runs++; runs == 1 {
			return errNotYet
		}
		l, err := net.Listen("unix", socket)
		if err != nil {
			return err
		}
		opened <- l
		return os.WriteFile(key, nil, 0o600)
	}}
	rs := parseAll(t, "file:key", "unix:"+socket, "exec:open")
	if unmet := require.All(t.Context(), 20*time.Second, rs, w); unmet != nil {
		t.Error(words(unmet))
	}
	(<-opened).Close()
	rs = parseAll(t, "tcp://"+tcp, "unix:"+socket)
	if unmet := require.All(t.Context(), 60*time.Millisecond, rs, w); len(unmet) != 2 || unmet[0].Requirement != rs[0] || unmet[1].Requirement != rs[1] {
		t.Error(words(unmet))
	}
}
