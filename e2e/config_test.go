//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// keys are a configuration file: "pool.web.umask" and the like, with their values
// as TOML writes them.
type keys map[string]string

// with is a copy in which some keys have another value: name, value, name, value.
func (k keys) with(pairs ...string) keys {
	all := maps.Clone(k)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// without is a copy that lacks a key, or a table.
func (k keys) without(names ...string) keys {
	all := maps.Clone(k)
	maps.DeleteFunc(all, func(key, _ string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return key == name || strings.HasPrefix(key, name+".") })
	})
	return all
}

func (k keys) String() string {
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(k)) {
		fmt.Fprintf(&out, "%s = %s\n", key, k[key])
	}
	return out.String()
}

// list writes words as an array of TOML, whose strings are those of JSON here.
func list(words ...string) string {
	text, err := json.Marshal(words)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// portOf is the port of an address as the file has it.
func portOf(t *testing.T, written string) int {
	t.Helper()
	_, port, _ := strings.Cut(strings.Trim(written, `"`), ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func word(s string) string { return strconv.Quote(s) }

// write writes a file as a whole, so that nobody reads half of it.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// site is a folder with a configuration and the programs of its workers, which any
// user may read.
func site(t *testing.T) string {
	t.Helper()
	dir := scratch(t, os.Geteuid())
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"facts.js", "facts.py", "other.js", "other.py"} {
		write(t, filepath.Join(dir, name), read(t, filepath.Join("testdata", strings.Replace(name, "other", "facts", 1))))
	}
	return dir
}

// nodePool is a pool of a Node server on a listener of its own name.
func nodePool(name, dir string, port int) keys {
	return served(name, port).with("pool."+name+".command", list("node", filepath.Join(dir, "facts.js")))
}

// gunicornPool is the same with gunicorn. Its control of workers lives in files that
// must not be on a slow disk.
func gunicornPool(name, dir string, port int) keys {
	return served(name, port).with(
		"pool."+name+".command", list("gunicorn", "-w", "1", "--worker-tmp-dir", "/dev/shm", "--chdir", dir, "facts:app"),
		"pool."+name+".env.PYTHONDONTWRITEBYTECODE", `"1"`,
	)
}

// guestPool is the same with a guest of ours.
func guestPool(name string, port int, guest ...string) keys {
	return served(name, port).with("pool."+name+".command", list(append([]string{guestBin(), "testguest"}, guest...)...))
}

func served(name string, port int) keys {
	return keys{
		"listen." + name + ".address":         word(address(port)),
		"pool." + name + ".listen":            list(name),
		"pool." + name + ".workers":           "2",
		"pool." + name + ".rollout.settle":    `"200ms"`,
		"pool." + name + ".rollout.max_surge": "2",
	}
}

// together joins configurations.
func together(all ...keys) keys {
	joined := keys{}
	for _, k := range all {
		maps.Copy(joined, k)
	}
	return joined
}

// sleepers is a pool that nobody talks to.
func sleepers(name string, workers int) keys {
	return keys{
		"pool." + name + ".command": list("sleep", "600"),
		"pool." + name + ".workers": strconv.Itoa(workers),
	}
}

// found is what a worker says of itself.
type found struct {
	PID     int               `json:"pid"`
	Argv    []string          `json:"argv"`
	Env     map[string]string `json:"env"`
	Dir     string            `json:"dir"`
	UID     int               `json:"uid"`
	GID     int               `json:"gid"`
	Umask   string            `json:"umask"`
	NoFile  int               `json:"nofile"`
	Signals map[string]int    `json:"signals"`
}

// ask asks the worker of a slot: connections from 127.77.0.N reach slot N alone.
func ask(t *testing.T, port, slot int) found {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, byte(slot>>8), byte(slot))}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}, Timeout: patience}
	text, _ := fetch(t, client, http.MethodGet, "http://"+address(port)+"/")
	var f found
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("cannot read the answer of slot %d: %v\n%s", slot, err, text)
	}
	return f
}
