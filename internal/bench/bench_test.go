package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/testhost"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The floor does what it is compared for: it starts, restarts, relays and stops.
func TestFloor(t *testing.T) {
	testhost.Need(t, testhost.Program("gcc"))
	tools, err := buildFloor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{tools: tools, rounds: 1}
	const n = 4
	err = b.withTiny(floorKind(), n, hear, func(p *keeper, board *board) error {
		if launch := board.lastStart(0, n) - p.begun; launch <= 0 {
			t.Errorf("the last worker began %d ns after the floor", launch)
		}
		dead := board.entries[0].pid
		took, err := killAndWait(board, int(dead), n+1)
		if err != nil {
			return err
		}
		if again := board.entries[n].pid; took <= 0 || again == dead || again == 0 {
			t.Errorf("worker %d was replaced by %d after %s", dead, again, took)
		}
		begin := monotonic()
		if err := p.signal(syscall.SIGHUP); err != nil {
			return err
		}
		if err := board.awaitHupped(n, patience); err != nil {
			return err
		}
		if board.lastHup() < begin {
			t.Error("a handler ran before its signal")
		}
		if took, err := p.stop(); err != nil || took <= 0 {
			t.Errorf("stopped after %s: %v", took, err)
		}
		if err := syscall.Kill(int(board.entries[n].pid), 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("a worker is left: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// All lines of the worker come through the floor of the figures about logs.
func TestPour(t *testing.T) {
	testhost.Need(t, testhost.Program("gcc"))
	tools, err := buildFloor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var p poured
	if err := (&bench{tools: tools}).pourThrough(catCarrier(), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.rates) != 1 || p.rates[0] <= 0 || len(p.cpu) != 1 {
		t.Errorf("%+v", p)
	}
}

// A worker that never runs is an error, not a wait for ever.
func TestBoardIsBounded(t *testing.T) {
	b, err := newBoard()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.awaitStarted(1, time.Millisecond); !errors.Is(err, errSilent) {
		t.Errorf("got %v", err)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	ms := func(values ...float64) (all []time.Duration) {
		for _, v := range values {
			all = append(all, time.Duration(v*float64(time.Millisecond)))
		}
		return all
	}
	tests := []struct {
		name string
		row  row
		want string
	}{
		{"met", ratioRow("a", ms(3, 1, 2), ms(3.2, 9, 1), 1.6), "| a | 2.00 ms | 3.20 ms | 1.60 | ≤ 1.6× | met |\n"},
		{"missed", ratioRow("a", ms(1), ms(2.1), 2), "| a | 1.00 ms | 2.10 ms | 2.10 | ≤ 2× | MISSED |\n"},
		{"no target", ratioRow("a", ms(1), ms(2), 0), "| a | 1.00 ms | 2.00 ms | 2 |  |  |\n"},
		{"fast enough", atLeastRow("l", []float64{8, 20, 9}, []float64{4.6, 1, 5}, 0.5, " M/s"), "| l | 9 M/s | 4.60 M/s | 0.51 | ≥ 0.5× | met |\n"},
		{"too slow", atLeastRow("l", []float64{9}, []float64{4}, 0.5, ""), "| l | 9 | 4 | 0.44 | ≥ 0.5× | MISSED |\n"},
		{"of its own", atMostRow("m", 13.254, 14, " MB"), "| m | – | 13.25 MB | – | ≤ 14 MB | met |\n"},
		{"nothing at all", atMostRow("m", 1, 0, ""), "| m | – | 1 | – | ≤ 0 | MISSED |\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := tt.row.print(&out); err != nil {
			t.Fatal(err)
		}
		if out.String() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, out.String(), tt.want)
		}
	}
}

func TestProc(t *testing.T) {
	if n, err := field([]byte("Rss:  9 kB\nPss:   12 kB\n"), "Pss:"); n != 12 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := field([]byte("Rss:  9 kB\n"), "Pss:"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if pss, err := proportional(os.Getpid()); pss <= 0 || err != nil {
		t.Errorf("got %f MB, %v", pss, err)
	}
	if a, err := activity(os.Getpid()); a.wakes == 0 || err != nil {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"-only", "("}, {"-rounds", "0"}} {
		var out, errs strings.Builder
		if code := run(args, &out, &errs); code != 2 || out.Len() != 0 || errs.Len() == 0 {
			t.Errorf("%v: code %d, %q, %q", args, code, out.String(), errs.String())
		}
	}
}
