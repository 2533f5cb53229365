package main

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

func TestReadWorkers(t *testing.T) {
	cpus := runtime.GOMAXPROCS(0)
	for word, want := range map[string]int{
		"4": 4, "cpus": cpus, "2*cpus+1": 2*cpus + 1, " 2 * cpus + 1": 2*cpus + 1, "1+cpus*2": 2*cpus + 1, "10000": 10000,
	} {
		if got, err := readWorkers(word); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", word, got, err, want)
		}
	}
	for _, word := range []string{"", "0", "-1", "cpu", "cpus-1", "4.5", "10001", "100*101", "9999+2", "1e3", "*", "+", "2**3"} {
		if got, err := readWorkers(word); err == nil {
			t.Errorf("%q: %d, want an error", word, got)
		}
	}
}

func FuzzReadWorkers(f *testing.F) {
	f.Add("2*cpus+1")
	f.Fuzz(func(t *testing.T, word string) {
		if n, err := readWorkers(word); err == nil && (n < 1 || n > machine.MaxWorkers) {
			t.Errorf("%q: %d", word, n)
		}
	})
}

func TestReadReady(t *testing.T) {
	for word, want := range map[string]worker.Readiness{
		"auto":           {Kind: worker.ReadyAuto},
		"notify":         {Kind: worker.ReadyNotify},
		"http:/readyz":   {Kind: worker.ReadyHTTP, Path: "/readyz"},
		"exec:test -e x": {Kind: worker.ReadyExec, Command: "test -e x"},
		"delay:1.5s":     {Kind: worker.ReadyDelay, Delay: 1500 * time.Millisecond},
		"delay:0":        {Kind: worker.ReadyDelay},
	} {
		if got, err := readReady(word); err != nil || got != want {
			t.Errorf("%q: %+v, %v", word, got, err)
		}
	}
	for _, word := range []string{"", "yes", "http", "http:", "http:readyz", "exec", "exec:", "delay", "delay:-1s", "delay:5", "autos", "notify:x"} {
		if got, err := readReady(word); err == nil {
			t.Errorf("%q: %+v, want an error", word, got)
		}
	}
}

func TestReadRange(t *testing.T) {
	if a, b, err := readRange("0-1023"); err != nil || a != 0 || b != 1023 {
		t.Errorf("%d-%d, %v", a, b, err)
	}
	for _, word := range []string{"", "5", "5-", "-5", "9-3", "a-b", "0-99999999999"} {
		if _, _, err := readRange(word); err == nil {
			t.Errorf("%q: want an error", word)
		}
	}
}

func TestParseSignal(t *testing.T) {
	for word, want := range map[string]syscall.Signal{"TERM": 15, "SIGTERM": 15, "sigquit": 3, "9": 9} {
		if got, err := parseSignal(word); err != nil || got != want {
			t.Errorf("%q: %v, %v", word, got, err)
		}
	}
	for _, word := range []string{"", "NOPE", "0", "65", "-1"} {
		if got, err := parseSignal(word); err == nil {
			t.Errorf("%q: %v, want an error", word, got)
		}
	}
}

func TestDefaultName(t *testing.T) {
	for command, want := range map[string]string{
		"node": "node", "/srv/app/server.sh": "server", "./a b": "a-b", "...": "brood", "/opt/x/web-1.2": "web-1",
	} {
		if got := defaultName(command); got != want {
			t.Errorf("%q: %q, want %q", command, got, want)
		}
	}
}

func TestAgeWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234 * time.Millisecond: "1.2s", 42 * time.Second: "42s", 724 * time.Second: "12m4s",
		5*time.Hour + 12*time.Minute: "5h12m", 76 * time.Hour: "3d4h",
	} {
		if got := ageWords(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
