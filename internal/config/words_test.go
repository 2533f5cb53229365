package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"
)

func TestNearest(t *testing.T) {
	all := []string{"workers", "worker_ids", "listen", "env", "env_file", "dir", "user", "max_surge"}
	for word, want := range map[string]string{
		"wokrers": "workers", "Workers": "workers", "worker-ids": "worker_ids", "lisen": "listen", "maxSurge": "max_surge",
		"usr": "user", "evn": "env", "directory": "", "x": "", "": "", "completely": "",
	} {
		if got := nearest(word, all); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"größe", "grösse", 2}, {"ab", "ba", 1}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != got {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestKey(t *testing.T) {
	for _, c := range []struct{ key, parent, last string }{
		{"pool", "", "pool"},
		{"pool.web.workers", "pool.web", "workers"},
		{"pool.web.listen[10]", "pool.web.listen", "listen[10]"},
		{Key("pool", "a.b", "env", `x"]y`), `pool."a.b".env`, `"x\"]y"`},
		{Key("pool", ""), "pool", `""`},
		{Key("listen", `back\`), "listen", `"back\\"`},
	} {
		if p, l := parent(c.key), last(c.key); p != c.parent || l != c.last {
			t.Errorf("%s: %s and %s, want %s and %s", c.key, p, l, c.parent, c.last)
		}
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", time.Minute: "1m", time.Hour: "1h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s",
		1500 * time.Millisecond: "1.5s", 10 * time.Minute: "10m", 10 * time.Second: "10s", 20 * time.Hour: "20h",
	} {
		got := Duration(d).String()
		back, err := ParseDuration(got)
		if got != want || err != nil || back != Duration(d) {
			t.Errorf("%d: %s, want %s; read back %s, %v", d, got, want, back, err)
		}
	}
}

func TestProblem(t *testing.T) {
	for _, c := range []struct {
		p    Problem
		want string
	}{
		{Problem{Message: "alone"}, "alone"},
		{Problem{File: "a.toml", Line: 2, Column: 3, Message: "m", Source: "\tx = \x1b[31m1"}, "a.toml:2:3: m\n    \tx = ?[31m1\n    \t ^"},
		{Problem{File: "a.toml", Line: 2, Column: 99, Message: "m", Source: "x  "}, "a.toml:2:99: m\n    x\n       ^"},
		{Problem{File: "a\n.toml", Message: "m", Hint: "h"}, "a?.toml: m\n    h"},
	} {
		if got := c.p.Error(); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestPosition(t *testing.T) {
	c, err := read("[listen.http]\naddress = \":8080\"\n\n[pool.web]\nlisten = [\"http\"]\nstop.grace = \"1s\"\ncommand = [\n  \"a\",\n  \"b\"]\n", brokenWorld())
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][2]int{
		"listen.http.address":   {2, 11},
		"listen.http.mode":      {1, 9},
		"pool.web":              {4, 7},
		"pool.web.command":      {7, 11},
		"pool.web.command[1]":   {9, 3},
		"pool.web.stop.grace":   {6, 14},
		"pool.web.stop.delay":   {6, 1},
		"pool.web.limits.as":    {4, 7},
		"pool.nobody.command":   {4, 2},
		Key("listen", "a.b"):    {1, 2},
		"pool.web.listen[0]":    {5, 11},
		"supervisor.log_format": {1, 1},
	} {
		if line, column := c.Position(key); line != want[0] || column != want[1] {
			t.Errorf("%s: %d:%d, want %d:%d", key, line, column, want[0], want[1])
		}
	}
	p := c.Problem("listen.http.address", "cannot bind", "stop it")
	if got, want := p.Error(), "brood.toml:2:11: cannot bind\n    address = \":8080\"\n              ^\n    stop it"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.toml"), Here())
	if _, isProblem := errors.AsType[Problem](err); isProblem || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	w := files(map[string]string{"/etc/brood/shop.toml": poolHead + "dir = \"app\"\n", "/etc/brood/bad.toml": "x"})
	w.Dir = ""
	c, err := Load("/etc/brood/shop.toml", w)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "shop" || c.Pools[0].Recipe.Dir != "/etc/brood/app" || c.Path != "/etc/brood/shop.toml" {
		t.Errorf("%+v", c)
	}
	if _, err := Load("/etc/brood/bad.toml", w); err == nil {
		t.Error("no error for a file that is not TOML")
	}
}
