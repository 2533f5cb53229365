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
StandardOutput=null
StandardError=append:/run/brood.log
ExecStart=%s run -c /etc/brood.toml
`

func journalUnit(t *testing.T, pools string) *machine {
	t.Helper()
	m := boot(t, "brood.service")
	m.Install("/etc/brood.toml", 0o644, []byte("[supervisor]\nname = \"web\"\nlog_format = \"json\"\n"+pools))
	m.Unit("brood.service", fmt.Sprintf(journaled, installedBrood))
	m.ctl("start", "brood.service")
	return m
}

func talkingPool(name string, workers int, words ...string) string {
	command := append([]string{installedGuest, testguest.Word, "talking"}, words...)
	return fmt.Sprintf("[pool.%s]\ncommand = %s\nworkers = %d\nready = \"notify\"\nlog.mode = \"journald\"\n", name, list(command...), workers)
}

// entries are those of the journal that match, oldest first.
func (m *machine) entries(words ...string) (all []map[string]string) {
	m.t.Helper()
	m.Must(m.t.Context(), "journalctl", "--sync")
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
	m := journalUnit(t, talkingPool("web", 2, "-total", "1")+talkingPool("err", 1, "-total", "1", "-stderr", "-begin", "<3>oops=1 ")+
		talkingPool("long", 1, "-total", "1", "-size", "60000"))
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

// journalFrom are the numbers of a worker's lines that are in the journal; they must ascend.
func (m *machine) journalFrom(pid int) (all []int) {
	m.t.Helper()
	m.Must(m.t.Context(), "journalctl", "--sync")
	beginnings := m.Must(m.t.Context(), "sh", "-c", fmt.Sprintf("journalctl -o cat --no-pager SYSLOG_PID=%d BROOD_POOL=web | cut -c-40", pid))
	for line := range strings.Lines(beginnings) {
		n := number(m.t, strings.TrimSpace(line), pid)
		if len(all) > 0 && n <= all[len(all)-1] {
			m.t.Fatalf("line %d comes after %d", n, all[len(all)-1])
		}
		all = append(all, n)
	}
	return all
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

// TestJournaldRestart: a journald that is restarted, killed, or away for a while costs no worker its life, and of the
// lines only those that are counted.
func TestJournaldRestart(t *testing.T) {
	// Long lines fill the queue before they fill the journal.
	m := journalUnit(t, talkingPool("web", 1, "-every", "10ms", "-size", "20000"))
	pid := m.pool().Workers[0].PID
	heard := func() int {
		text := m.Must(t.Context(), installedBrood, "logs", "web.0", "--name", "web", "--lines", "1", "--output", "json")
		var line struct{ Text string }
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return number(t, line.Text, pid)
	}
	// after waits until lines arrive that were written later, and gives how many of all are missing.
	after := func(what string) (missing int) {
		t.Helper()
		var all []int
		now := heard()
		m.await("lines after "+what, func() bool {
			all = m.journalFrom(pid)
			return len(all) > 0 && all[len(all)-1] > now
		})
		if p := m.pool(); p.Restarts != 0 || !p.whole() || p.Workers[0].PID != pid {
			t.Errorf("after %s: %s", what, p)
		}
		missing = all[len(all)-1] - len(all)
		t.Logf("after %s %d of %d lines are missing", what, missing, all[len(all)-1])
		return missing
	}
	after("the start")
	m.ctl("restart", "systemd-journald.service")
	if missing := after("a restart"); missing != 0 {
		t.Error("a restart costs lines")
	}
	m.ctl("kill", "--signal=KILL", "systemd-journald.service")
	inHand := after("a kill")
	if inHand > 1 {
		t.Error("a kill costs more than the line that journald had in hand")
	}

	away := []string{"systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald-audit.socket"}
	m.ctl(append([]string{"stop"}, away...)...)
	m.await("a loss", func() bool { return m.said(outputLost).Lines > 0 })
	if tr := m.said(outputWaits); tr.Where != "journald" || tr.Error == "" || tr.Level != "warn" {
		t.Errorf("%+v", tr)
	}
	before := heard()
	m.await("a worker that writes on", func() bool { return heard() > before })
	m.ctl("start", "systemd-journald.socket", "systemd-journald.service")
	missing := after("an absence")
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
