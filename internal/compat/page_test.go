package compat

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const page = "../../docs/compatibility"

// The page is what the writer makes of the recorded figures, and has every server.
func TestPageIsWritten(t *testing.T) {
	report, err := Load(page + ".json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := Page(report)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(page + ".md")
	if err != nil || string(have) != want {
		t.Errorf("%s.md is not what the figures come to (%v): make compat writes both", page, err)
	}
	for _, r := range report.Servers {
		if r.Rollouts.Times != report.Times || r.Kills.Times != report.Times || r.Version == "" || r.Exit == "" {
			t.Errorf("%s was not tried to the end: %+v", r.Name, r)
		}
	}
}

// Whoever is among the strangers took no socket, and works on ports of its own.
func TestStrangersAreStrangers(t *testing.T) {
	report, err := Load(page + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for _, own := range report.Own {
		if own.Took || own.Answered != workersOfOwn || own.Version == "" {
			t.Errorf("%+v", own)
		}
	}
}

func TestOthersHaveNoPage(t *testing.T) {
	report, err := Load(page + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Report){
		"one fewer":     func(r *Report) { r.Servers = r.Servers[1:] },
		"one more":      func(r *Report) { r.Put(Result{Name: "another"}) },
		"another order": func(r *Report) { slices.Reverse(r.Own) },
	} {
		changed := Report{Servers: slices.Clone(report.Servers), Own: slices.Clone(report.Own)}
		change(&changed)
		if _, err := Page(changed); !errors.Is(err, errOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is tried again replaces what was seen before, in its place.
func TestPut(t *testing.T) {
	var r Report
	servers := Servers()
	r.Put(Result{Name: servers[1].Name})
	r.Put(Result{Name: servers[0].Name})
	r.Put(Result{Name: servers[1].Name, Version: "2"})
	if len(r.Servers) != 2 || r.Servers[0].Name != servers[0].Name || r.Servers[1].Version != "2" {
		t.Errorf("%+v", r.Servers)
	}
}

func TestCells(t *testing.T) {
	for want, cell := range map[string]interface{ String() string }{
		"1 of 20":                     Count{Failed: 1, Requests: 20},
		"1 of 20 + 3":                 Count{Failed: 1, Requests: 20, Closed: 3},
		"replaced":                    Reload{},
		"USR1: 0 of 9":                Reload{Signal: "USR1", Count: Count{Requests: 9}},
		"USR1: 0 of 9, ended 2 times": Reload{Signal: "USR1", Died: 2, Count: Count{Requests: 9}},
		"5 of 9: 3 held, 2 lost":      Kills{Count: Count{Failed: 5, Requests: 9}, Held: 3},
	} {
		if got := cell.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The line of the page is one that a shell reads as the words that were run.
func TestLine(t *testing.T) {
	s := Server{Flags: []string{"-e", "A=127.0.0.1:@PORT@={{.FD.http}};"}, Command: []string{"sh", "-c", "exec 'x' <&3", "@DIR@/y"}}
	const want = `brood run -n 2 -l 127.0.0.1:8080 -e 'A=127.0.0.1:8080={{.FD.http}};' -- sh -c 'exec '\''x'\'' <&3' /srv/app/y`
	if got := s.Line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Each file is of a server.
func TestFilesAreUsed(t *testing.T) {
	var words []string
	for _, s := range Servers() {
		words = append(words, s.Line())
	}
	for _, s := range Strangers() {
		words = append(words, s.Line())
	}
	all := strings.Join(words, "\n")
	entries, err := fs.ReadDir(files, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		module := strings.TrimSuffix(name, ".py")
		if name != "index.html" && !strings.Contains(all, name) && !strings.Contains(all, module+":app") {
			t.Errorf("no server uses %s", name)
		}
	}
}

// Of three connections to a port this process has accepted two.
func TestConnections(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	want := make(map[string]bool)
	for n := range 3 {
		client, err := net.Dial("tcp4", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if n == 2 {
			break // it waits in the queue
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		want[client.LocalAddr().String()] = true
	}
	_, word, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	got := connections([]int{os.Getpid()}, port)
	maps.DeleteFunc(got, func(client string, _ bool) bool { return strings.HasSuffix(client, ":0") }) // the listener itself
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A log has words of workers in it, and deaths that nobody asked for.
func TestExits(t *testing.T) {
	b := &brood{log: t.TempDir() + "/log"}
	var log strings.Builder
	for _, entry := range []map[string]string{
		{"message": "worker died", "cause": "died", "exit": "SIGKILL"},
		{"message": "worker died", "cause": "stopped", "exit": "exit 0"},
		{"message": "worker started"},
		{"message": "worker died", "cause": "stopped", "exit": "exit 1"},
		{"message": "worker died", "cause": "killed_late", "exit": "SIGKILL"},
		{"message": "worker died", "cause": "stopped", "exit": "exit 0"},
	} {
		text, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		log.WriteString("words of a worker\n" + string(text) + "\n")
	}
	if err := os.WriteFile(b.log, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := b.exits(); err != nil || got != (exits{"exit 0", 1}) {
		t.Errorf("%+v, %v", got, err)
	}
}
