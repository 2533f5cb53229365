//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// journaled is a service whose workers speak to journald, and which itself speaks to a file: what it says of a journald
// that is gone must not go there.
const journaled = `[Service]
Type=notify
NotifyAccess=main
LogRateLimitIntervalSec=0
StandardOutput=%s
StandardError=append:/run/brood.log
ExecStart=%s run -c /etc/brood.toml
`

func journalUnit(t *testing.T, stdout, pools string) *machine {
	t.Helper()
	m := boot(t, "brood.service")
	m.Install("/etc/brood.toml", 0o644, []byte("[supervisor]\nname = \"web\"\nlog_format = \"json\"\n"+pools))
	m.Unit("brood.service", fmt.Sprintf(journaled, stdout, installedBrood))
	m.ctl("start", "brood.service")
	return m
}

func talkingPool(name, mode string, workers int, words ...string) string {
	command := append([]string{installedGuest, testguest.Word, "talking"}, words...)
	return fmt.Sprintf("[pool.%s]\ncommand = %s\nworkers = %d\nready = \"notify\"\nlog.mode = %q\n", name, list(command...), workers, mode)
}

// flush has journald write what it has. One that was killed a moment ago does not listen yet: who waits comes again.
func (m *machine) flush() {
	m.t.Helper()
	m.Run(m.t.Context(), "journalctl", "--sync")
}

// entries are those of the journal that match, oldest first.
func (m *machine) entries(words ...string) (all []map[string]string) {
	m.t.Helper()
	m.flush()
	text := m.Must(m.t.Context(), append([]string{"journalctl", "-o", "json", "--all", "--no-pager"}, words...)...)
	for line := range strings.Lines(text) {
		entry := map[string]string{}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			m.t.Fatalf("%.400q: %v", line, err)
		}
		all = append(all, entry)
	}
	return all
}

// TestJournalFields: what a worker writes is an entry of its own, with all that is known of the worker.
func TestJournalFields(t *testing.T) {
	t.Parallel()
	m := journalUnit(t, "null", talkingPool("web", "journald", 2, "-total", "1")+
		talkingPool("err", "journald", 1, "-total", "1", "-stderr", "-begin", "<3>oops=1 ")+
		talkingPool("long", "journald", 1, "-total", "1", "-size", "60000"))
	for _, p := range parseStatus(t, m.Must(t.Context(), installedBrood, "status", "--name", "web", "--output", "json")).Pools {
		for _, w := range p.Workers {
			match := []string{"BROOD_POOL=" + p.Name, fmt.Sprintf("BROOD_SLOT=%d", w.Slot)}
			m.await("an entry of "+p.Name, func() bool { return len(m.entries(match...)) > 0 })
			want := map[string]string{
				"SYSLOG_IDENTIFIER": fmt.Sprintf("%s.%d", p.Name, w.Slot), "BROOD_POOL": p.Name, "BROOD_SLOT": fmt.Sprint(w.Slot),
				"BROOD_WORKER_ID": fmt.Sprint(w.WorkerID), "SYSLOG_PID": fmt.Sprint(w.PID), "BROOD_STREAM": "stdout", "PRIORITY": "6",
				"_SYSTEMD_UNIT": "brood.service", "_TRANSPORT": "journal",
			}
			begin, size := fmt.Sprintf("%d 1 x", w.PID), 79
			switch p.Name {
			case "err":
				want["BROOD_STREAM"], want["PRIORITY"], begin, size = "stderr", "3", "oops=1 "+begin, size-len("<3>")
			case "long":
				size = 59_999
			}
			got := m.entries(match...)
			if len(got) != 1 || !strings.HasPrefix(got[0]["MESSAGE"], begin) || len(got[0]["MESSAGE"]) != size {
				t.Fatalf("%s: %.1000v", p.Name, got)
			}
			for field, value := range want {
				if got[0][field] != value {
					t.Errorf("%s.%d: %s is %q, want %q", p.Name, w.Slot, field, got[0][field], value)
				}
			}
			if byName := m.entries("-t", fmt.Sprintf("%s.%d", p.Name, w.Slot)); len(byName) != 1 {
				t.Errorf("by its name there are %d", len(byName))
			}
		}
	}
	m.ctl("stop", "brood.service")
}

// speaker is the worker of a service whose lines are in the journal.
type speaker struct {
	*machine
	pid   int
	match string // what finds its entries
}

func (m *machine) speaker(match string) *speaker {
	m.t.Helper()
	return &speaker{m, m.pool().Workers[0].PID, match}
}

// heard is the number of the last line that it wrote.
func (s *speaker) heard() int {
	s.t.Helper()
	text := s.Must(s.t.Context(), installedBrood, "logs", "web.0", "--name", "web", "--lines", "1", "--output", "json")
	var line struct{ Text string }
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return number(s.t, line.Text, s.pid)
}

// goesOn demands that it writes more, and is the one that it was.
func (s *speaker) goesOn() {
	s.t.Helper()
	before := s.heard()
	s.await("a worker that writes on", func() bool { return s.heard() > before })
	if p := s.pool(); p.Restarts != 0 || !p.whole() || p.Workers[0].PID != s.pid {
		s.t.Errorf("the worker was %d: %s", s.pid, p)
	}
}

// arrived are the numbers of its lines that are in the journal; they must ascend.
func (s *speaker) arrived() (all []int) {
	s.t.Helper()
	s.flush()
	beginnings := s.Must(s.t.Context(), "sh", "-c", "journalctl -o cat --no-pager "+s.match+" | grep '^[0-9]* [0-9]* x' | cut -c-40")
	for line := range strings.Lines(beginnings) {
		n := number(s.t, strings.TrimSpace(line), s.pid)
		if len(all) > 0 && n <= all[len(all)-1] {
			s.t.Fatalf("line %d comes after %d", n, all[len(all)-1])
		}
		all = append(all, n)
	}
	return all
}

// after waits until lines arrive that were written later, and gives how many of all are missing.
func (s *speaker) after(what string) (missing int) {
	s.t.Helper()
	var all []int
	now := s.heard()
	s.await("lines after "+what, func() bool {
		all = s.arrived()
		return len(all) > 0 && all[len(all)-1] > now
	})
	s.goesOn()
	missing = all[len(all)-1] - len(all)
	s.t.Logf("after %s %d of %d lines are missing", what, missing, all[len(all)-1])
	return missing
}

// said is the last line of brood's own log with a message.
func (m *machine) said(message string) (last trouble) {
	for line := range strings.Lines(read(m.t, m.Path("/run/brood.log"))) {
		var tr trouble
		if json.Unmarshal([]byte(line), &tr) == nil && tr.Message == message {
			last = tr
		}
	}
	return last
}

// away are the units of journald, so that nothing starts it again.
func away() []string {
	return []string{"systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald-audit.socket"}
}

// TestJournaldRestart: a journald that is restarted, killed, or away for a while costs no worker its life, and of the
// lines only those that are counted.
func TestJournaldRestart(t *testing.T) {
	t.Parallel()
	// Long lines fill the queue before they fill the journal.
	m := journalUnit(t, "null", talkingPool("web", "journald", 1, "-every", "10ms", "-size", "20000"))
	s := m.speaker("BROOD_POOL=web")
	s.after("the start")
	m.ctl("restart", "systemd-journald.service")
	if missing := s.after("a restart"); missing != 0 {
		t.Error("a restart costs lines")
	}
	m.ctl("kill", "--signal=KILL", "systemd-journald.service")
	inHand := s.after("a kill")
	if inHand > 1 {
		t.Error("a kill costs more than the line that journald had in hand")
	}

	m.ctl(append([]string{"stop"}, away()...)...)
	m.await("a loss", func() bool { return m.said(outputLost).Lines > 0 })
	if tr := m.said(outputWaits); tr.Where != "journald" || tr.Error == "" || tr.Level != "warn" {
		t.Errorf("%+v", tr)
	}
	s.goesOn()
	m.ctl("start", "systemd-journald.socket", "systemd-journald.service")
	missing := s.after("an absence")
	m.await("the end of the trouble", func() bool { return m.said(outputAgain).Message != "" })
	lost := m.said(outputAgain).Lines
	t.Logf("%d lines are counted as lost", lost)
	// What journald had not read when its socket was closed is lost where nobody can see it, see unix(7).
	unseen, err := strconv.Atoi(m.Must(t.Context(), "cat", "/proc/sys/net/unix/max_dgram_qlen"))
	if err != nil {
		t.Fatal(err)
	}
	if lost == 0 || missing < lost || missing > lost+unseen+1+inHand {
		t.Errorf("%d lines are counted as lost, %d are missing", lost, missing)
	}
	m.ctl("stop", "brood.service")
}

// TestJournalAsStdout: the stdout of a service is a stream to journald, which systemd keeps for it over a restart or a
// kill. Where that ends for good the output is lost, and said to be.
func TestJournalAsStdout(t *testing.T) {
	t.Parallel()
	m := journalUnit(t, "journal", talkingPool("web", "auto", 1))
	s := m.speaker("-u brood.service")
	s.after("the start")
	m.ctl("restart", "systemd-journald.service")
	if missing := s.after("a restart"); missing != 0 {
		t.Error("a restart costs lines")
	}
	m.ctl("kill", "--signal=KILL", "systemd-journald.service")
	s.after("a kill")

	m.ctl(append([]string{"stop"}, away()...)...)
	m.await("a loss", func() bool { return m.said(outputLost).Lines > 0 })
	if tr := m.said(outputLost); tr.Where != "stdout" || !strings.Contains(tr.Error, "broken pipe") {
		t.Errorf("%+v", tr)
	}
	m.ctl("start", "systemd-journald.socket", "systemd-journald.service")
	s.goesOn()
	m.ctl("stop", "brood.service")
}
