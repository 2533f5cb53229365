//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// begins starts a command of brood and gives a function that waits for its end.
func (m *managed) begins(words ...string) func() (said string, code int) {
	type end struct {
		said string
		code int
	}
	done := make(chan end, 1)
	go func() {
		stdout, stderr, code := m.verb(words...)
		done <- end{stdout + stderr, code}
	}()
	return func() (string, int) {
		m.t.Helper()
		e := <-done // verb is bounded
		return e.said, e.code
	}
}

// reloading waits until a pool has a worker of another generation than its own.
func (m *managed) reloading(name string) {
	m.t.Helper()
	m.await("a successor", func() bool {
		p := m.status().named(name)
		for _, w := range p.Workers {
			if w.PID != 0 && w.Generation > p.Generation {
				return true
			}
		}
		return false
	})
}

// TestTransaction: of two pools that change the second fails, and the first, which
// had been through, is what it was before.
func TestTransaction(t *testing.T) {
	t.Parallel()
	m, end := underLoad(t)
	m.becomes(m.keys.with("pool.web.env.RELEASE", `"1"`, "pool.web.workers", "3", "pool.api.after", list("web")),
		map[string]string{"web": "rolled", "api": "adjusted"})
	before := m.status().named("api").pids()
	said, code := m.try(m.keys.with(
		"pool.web.env.RELEASE", `"2"`, "pool.web.workers", "4", "pool.web.listen", list("web", "more"),
		"listen.more.address", word(address(freePort(t))), "pool.late.command", list("sleep", "600"),
		"pool.api.command", list("sh", "-c", "echo no-database >&2; exit 3"),
	))
	if code != 1 || !strings.Contains(said, "pool api") || !strings.Contains(said, "no-database") {
		t.Errorf("the reload ended with %d:\n%s", code, said)
	}
	m.await("the way back", func() bool {
		s := m.status()
		return s.Config.Reload.State == "failed" && len(s.Pools) == 2 && m.whole()
	})
	if !strings.Contains(read(t, m.log), `"pool":"web","change":"rolled","time"`) {
		t.Error("web has not gone back, so it had not been through")
	}
	s := m.status()
	if p := s.named("web"); p.Desired != 3 || len(p.Listeners) != 1 {
		t.Errorf("pool web is not what it was: %s, %+v", p, p.Listeners)
	}
	for slot := range 3 {
		if f := ask(t, portOf(t, m.keys["listen.web.address"]), slot); f.Env["RELEASE"] != "1" {
			t.Errorf("slot %d has release %q", slot, f.Env["RELEASE"])
		}
	}
	if got := s.named("api").pids(); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("pool api has the processes %v, before %v", got, before)
	}
	end()
}

// TestReloadsMeet: a reload during another one follows it, with the file as it is
// then; both callers get a verdict. One that is aborted leaves what was.
func TestReloadsMeet(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	m := manage(t, site(t), guestPool("web", port, "http", "-notify").with("pool.web.ready", `"notify"`))
	tr := lightTraffic(t, port)
	slow := m.keys.with("pool.web.command", list(guestBin(), testguest.Word, "slow-ready", "-after", "1s"), "pool.web.env.N", `"1"`)
	write(t, m.path, slow.String())
	first := m.begins("reload")
	m.reloading("web")
	write(t, m.path, slow.with("pool.web.env.N", `"2"`).String())
	second, third := m.begins("reload"), m.begins("reload")
	for _, wait := range []func() (string, int){first, second, third} {
		if said, code := wait(); code != 0 {
			t.Errorf("a reload ended with %d:\n%s", code, said)
		}
	}
	if p := m.pool1(); p.Generation != 3 {
		t.Errorf("after two reloads it is generation %d", p.Generation)
	}
	m.keys = slow.with("pool.web.env.N", `"2"`)
	m.fails(func() (string, int) {
		write(t, m.path, m.keys.with("pool.web.command", list(guestBin(), testguest.Word, "never-ready")).String())
		wait := m.begins("reload")
		m.reloading("web")
		m.must("reload", "--abort")
		return wait()
	}, "aborted")
	tr.flawless(t)
	m.stop()
}

// pool1 is the only pool of a file.
func (m *managed) pool1() pool {
	m.t.Helper()
	return m.status().Pools[0]
}

// TestExecutableOverwritten: the program of the old generation is kept, whatever
// becomes of its file.
func TestExecutableOverwritten(t *testing.T) {
	dir, port := site(t), freePort(t)
	program := filepath.Join(dir, "server")
	install := func(text string) os.FileInfo {
		t.Helper()
		write(t, program, text)
		if err := os.Chmod(program, 0o755); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(program)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	v1 := install(read(t, guestBin()))
	m := manage(t, dir, served("web", port).with("pool.web.command", list(program, testguest.Word, "http", "-notify")))
	tr := lightTraffic(t, port)

	install("#!/bin/sh\necho v2 is broken >&2\nexit 1\n")
	m.plans(map[string]string{"web": "rolled"})
	for _, verb := range []string{"roll", "reload"} {
		m.fails(func() (string, int) { return m.begins(verb)() }, "v2 is broken", "exit 1")
	}
	tr.flawless(t)
	before := m.pool1()
	if err := syscall.Kill(before.Workers[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	m.await("a successor of the killed", func() bool { p := m.pool1(); return p.whole() && p.Restarts > before.Restarts })
	m.runs(v1)

	tr = lightTraffic(t, port)
	v3 := install(read(t, guestBin()) + "v3")
	m.becomes(m.keys, map[string]string{"web": "rolled"})
	m.runs(v3)
	tr.flawless(t)
	m.stop()
}

// runs demands that every worker runs one file.
func (m *managed) runs(file os.FileInfo) {
	m.t.Helper()
	for _, pid := range m.pool1().pids() {
		exe, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil {
			m.t.Fatal(err)
		}
		if !os.SameFile(exe, file) {
			m.t.Errorf("process %d runs another file", pid)
		}
	}
}
