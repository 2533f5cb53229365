package listener

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/loadgen"
)

// TestAdjustUnderLoad swaps name, policy and backlog as fast as it can.
func TestAdjustUnderLoad(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"127.0.0.1:0", "127.0.0.1:0,mode=shared"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			l := open(t, 2, flag).first()
			under(t, l, func(load *loadgen.Load) {
				for i := range 300 {
					cfg := l.Config()
					cfg.Name, cfg.Backlog = []string{"x", "y"}[i%2], 64+i
					if l.Mode() == Sharded {
						cfg.Steer = Policy(i % len(policyNames))
						cfg.QueueAware = cfg.DefaultQueueAware()
					}
					must(t, l.Adjust(cfg))
					if l.Config() != cfg || l.Name() != cfg.Name {
						t.Fatalf("it is %+v, want %+v", l.Config(), cfg)
					}
					for slot := range 2 {
						if q, err := l.Queue(slot, B); err != nil || q.Backlog != 64+i {
							t.Fatalf("queue is %+v, %v, want a backlog of %d", q, err, 64+i)
						}
					}
					must(t, load.Await(deadline(t), 1))
				}
			})
		})
	}
}

func TestAdjustSteers(t *testing.T) {
	t.Parallel()
	l := open(t, 4, "127.0.0.1:0").first()
	for slot := range 4 {
		serve(t, l, slot, A)
	}
	reached := func() int {
		seen := map[string]bool{}
		for range 60 {
			who, err := ask(dial(l.testTarget(), ""))
			must(t, err)
			seen[who] = true
		}
		return len(seen)
	}
	cfg := l.Config()
	before := reached()
	cfg.Steer, cfg.QueueAware = ClientIP, false
	must(t, l.Adjust(cfg))
	during := reached()
	cfg.Steer = Random
	must(t, l.Adjust(cfg))
	if after := reached(); before != 4 || during != 1 || after != 4 {
		t.Errorf("one client reaches %d slots at random, %d by its address, then %d", before, during, after)
	}
}

func TestAdjustUnixFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	l := open(t, 1, "unix:"+path).first()
	look := func() (st unix.Stat_t) {
		must(t, unix.Lstat(path, &st))
		return st
	}
	first, old := look(), l.Config()
	cfg := old
	cfg.Perm = 0o600
	if os.Geteuid() == 0 {
		cfg.Owner, cfg.Group = "65534", "12"
	}
	must(t, l.Adjust(cfg))
	if st := look(); st.Mode != unix.S_IFSOCK|0o600 || os.Geteuid() == 0 && (st.Uid != 65534 || st.Gid != 12) {
		t.Errorf("mode %o, owner %d:%d", st.Mode, st.Uid, st.Gid)
	}
	bad := cfg
	bad.Backlog, bad.Perm, bad.Owner = 5, 0o666, "nobody-knows-him"
	if err := l.Adjust(bad); err == nil || l.Config() != cfg {
		t.Errorf("an unknown owner: %v, and it is %+v", err, l.Config())
	}
	if st := look(); st.Mode != unix.S_IFSOCK|0o600 {
		t.Errorf("after an error the mode is %o", st.Mode)
	}
	must(t, l.Adjust(old))
	if st := look(); st.Mode != first.Mode || st.Uid != first.Uid || st.Gid != first.Gid || st.Ino != first.Ino {
		t.Errorf("put back: mode %o, owner %d:%d", st.Mode, st.Uid, st.Gid)
	}
	must(t, os.Remove(path))
	if err := l.Adjust(cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without its file: %v", err)
	}
}

func TestAdjustRefuses(t *testing.T) {
	t.Parallel()
	h := open(t, 2, "a=127.0.0.1:0,backlog=9", "s=127.0.0.1:0,mode=shared")
	tests := []struct {
		name   string
		l      *Listener
		change func(*Config)
		want   error
		says   string
	}{
		{"address", h.listeners[0], func(c *Config) { c.Address.Port = 1 }, errFixed, ""},
		{"another mode", h.listeners[0], func(c *Config) { c.Mode, c.QueueAware = Shared, false }, errFixed, ""},
		{"another mode", h.listeners[1], func(c *Config) { c.Mode = Auto }, errFixed, ""},
		{"a bad name", h.listeners[0], func(c *Config) { c.Name = "" }, nil, "the name is empty"},
		{"perm", h.listeners[0], func(c *Config) { c.Perm = 0o600 }, nil, "for unix sockets"},
		{"the same mode in other words", h.listeners[0], func(c *Config) { c.Mode = Sharded }, nil, ""},
	}
	for _, tt := range tests {
		cfg := tt.l.Config()
		before := cfg
		tt.change(&cfg)
		err := tt.l.Adjust(cfg)
		if tt.want == nil && tt.says == "" {
			must(t, err)
			continue
		}
		var open *OpenError
		if !errors.As(err, &open) || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) ||
			!strings.HasPrefix(err.Error(), "cannot adjust listener ") || tt.l.Config() != before {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	wide := open(t, 2, "127.0.0.1:0").first()
	cfg := wide.Config()
	wide.slots, cfg.Steer, cfg.QueueAware = buckets+1, ClientIP, false
	if err := wide.Adjust(cfg); !errors.Is(err, errTooMany) {
		t.Errorf("more slots than there are buckets: %v", err)
	}
	must(t, wide.Close())
	if err := wide.Adjust(cfg); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed one: %v", err)
	}
}

// TestAdjustOfWhatFellBack: what the user asked for and what came of it are both as before.
func TestAdjustOfWhatFellBack(t *testing.T) {
	withoutSteering(t)
	h := open(t, 2, "127.0.0.1:0")
	l := h.first()
	h.wait(EventFellBack)
	auto := l.Config()
	for _, mode := range []Mode{Shared, Sharded, Auto} {
		cfg := auto
		cfg.Mode, cfg.Steer = mode, CPU
		if mode == Shared {
			cfg.Steer = Random
		}
		cfg.QueueAware = cfg.DefaultQueueAware()
		must(t, l.Adjust(cfg))
	}
}

// TestAdjustPutsBack: the kernel refuses the program of the new policy, and the old one goes on.
func TestAdjustPutsBack(t *testing.T) {
	t.Parallel()
	l := open(t, 2, "127.0.0.1:0,backlog=50").first()
	serve(t, l, 0, A)
	serve(t, l, 1, A)
	must(t, unix.SetsockoptInt(l.FD(0, A), unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1))
	before := l.Config()
	cfg := before
	cfg.Name, cfg.Steer, cfg.Backlog = "other", CPU, 60
	if err := l.Adjust(cfg); !errors.Is(err, unix.EPERM) {
		t.Errorf("got %v, want EPERM", err)
	}
	if q, err := l.Queue(1, B); err != nil || q.Backlog != 50 || l.Config() != before {
		t.Errorf("queue is %+v, %v, config %+v", q, err, l.Config())
	}
	for range 20 {
		if _, err := ask(dial(l.testTarget(), "")); err != nil {
			t.Error(err)
		}
	}
}
