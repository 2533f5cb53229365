package handshake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		in   string
		want Message
	}{
		{"READY=1", Message{Ready: true}},
		{"READY=1\n", Message{Ready: true}},
		{"READY=1\n\nSTATUS=a=b; c\n", Message{Ready: true, Status: "a=b; c"}},
		{"STATUS=", Message{}},
		{"STATUS=one\nSTATUS=two", Message{Status: "two"}},
		{"STATUS=\xff", Message{Status: "\uFFFD"}},
		{"RELOADING=1\nMONOTONIC_USEC=18446744073709551615", Message{Reloading: true, MonotonicUsec: 1<<64 - 1}},
		{"STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000", Message{Stopping: true, ExtendTimeout: 1500 * time.Millisecond}},
		{"WATCHDOG=1", Message{Watchdog: true}},
		{"WATCHDOG=trigger", Message{WatchdogTrigger: true}},
		{"WATCHDOG=trigger\nWATCHDOG=1", Message{Watchdog: true}},
		{"WATCHDOG=1\nWATCHDOG=trigger", Message{WatchdogTrigger: true}},
		{"BROOD_REQUESTS=0", Message{Requests: new(uint64(0))}},
		{"BROOD_REQUESTS=7\nBROOD_REQUESTS=18446744073709551615", Message{Requests: new(uint64(1<<64 - 1))}},
		{"BROOD_RELOAD=1", Message{HandlesReload: true}},
		{"MAINPID=4711\nERRNO=2", Message{MainPID: 4711, Errno: 2}},
		{"FDSTORE=1\nX_MINE=äö", Message{Unknown: []string{"FDSTORE=1", "X_MINE=äö"}}},
	}
	for _, tt := range tests {
		got, err := Parse([]byte(tt.in))
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.in, diff)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	tests := []string{
		"", "\n", "READY", "READY=", "READY=0", "READY=2", "READY=true", "=1", " READY=1", "ready=1", "9A=1",
		"READY=1\nrubbish", "STATUS=a\x00b", "MONOTONIC_USEC=-1", "MONOTONIC_USEC=1_000", "MONOTONIC_USEC=+1",
		"MONOTONIC_USEC=18446744073709551616", "MAINPID=0", "MAINPID=2147483648", "ERRNO=x", "ERRNO=",
		"EXTEND_TIMEOUT_USEC=9223372036854775807", "WATCHDOG=0", "WATCHDOG=Trigger", "WATCHDOG=", "BROOD_RELOAD=yes",
		"BROOD_REQUESTS=", "BROOD_REQUESTS=-1", "BROOD_REQUESTS=1e3", "BROOD_REQUESTS=18446744073709551616",
		"STATUS=" + strings.Repeat("x", MaxMessage),
	}
	for _, in := range tests {
		if got, err := Parse([]byte(in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: got %+v, %v", in, got, err)
		}
	}
}

func TestFormat(t *testing.T) {
	tests := []struct {
		in   Message
		want string
	}{
		{Message{}, ""},
		{Message{Ready: true, HandlesReload: true, Status: "all\nwell"}, "READY=1\nBROOD_RELOAD=1\nSTATUS=all well"},
		{Message{Watchdog: true, WatchdogTrigger: true, Requests: new(uint64(0))}, "WATCHDOG=trigger\nBROOD_REQUESTS=0"},
		{Message{Reloading: true, MonotonicUsec: 7}, "RELOADING=1\nMONOTONIC_USEC=7"},
		{Message{ExtendTimeout: time.Second, Unknown: []string{"A=1\nREADY=1"}}, "EXTEND_TIMEOUT_USEC=1000000\nA=1 READY=1"},
	}
	for _, tt := range tests {
		if got := string(tt.in.Format()); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestPrivate(t *testing.T) {
	for _, name := range []string{"BROOD_", "BROOD_WORKER_ID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"} {
		if !Private(name) {
			t.Errorf("%s would leak into workers", name)
		}
	}
	for _, name := range []string{"", "PATH", "BROOD", "LISTEN", "LISTEN_ADDRESS", "PORT", "INVOCATION_ID"} {
		if Private(name) {
			t.Errorf("%s would be kept from workers", name)
		}
	}
}

// What Parse accepts, Format writes so that Parse gives the same again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"READY=1\nSTATUS=x\n", "RELOADING=1\nMONOTONIC_USEC=1", "MAINPID=1\nERRNO=22\nEXTEND_TIMEOUT_USEC=10",
		"WATCHDOG=trigger", "WATCHDOG=1\nWATCHDOG=trigger", "BROOD_REQUESTS=0", "BROOD_REQUESTS=18446744073709551615", "BROOD_RELOAD=1", "A=\xff", "\n\n", "STATUS=\xff\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Parse(in)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || !cmp.Equal(m, Message{}) {
				t.Fatalf("%q: %+v, %v", in, m, err)
			}
			return
		}
		out := m.Format()
		if len(out) == 0 { // such as "STATUS=": it says nothing
			if !cmp.Equal(m, Message{}) {
				t.Fatalf("%q lost", in)
			}
			return
		}
		if len(out) > MaxMessage { // broken UTF-8 in STATUS grows by its replacement
			return
		}
		again, err := Parse(out)
		if err != nil {
			t.Fatalf("%q -> %q: %v", in, out, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatalf("%q -> %q: %s", in, out, diff)
		}
	})
}
