package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// flagWorld names flags as brood run does.
func flagWorld() World {
	w := brokenWorld()
	w.Dir = ""
	w.Flag = func(key string) string {
		return map[string]string{
			"pool.app.workers": "--workers", "pool.app.rollout.max_surge": "--max-surge", "pool.app.ready": "--ready",
			"pool.app.stop.grace": "--grace", "listen.http.address": "--listen", "pool.app.restart.give_up_after": "--give-up-after",
		}[key]
	}
	return w
}

// TestFlags: a File that no file was read for is judged like one, and its problems name flags.
func TestFlags(t *testing.T) {
	f := &File{
		Supervisor: SupervisorTable{Name: "app", Control: ControlTable{Path: "x.sock"}},
		Listen:     map[string]ListenTable{"http": {Address: ":8080"}},
		Pool:       map[string]PoolTable{"app": {Command: []string{"./server"}, Listen: []string{"http"}, Dir: "sub", Ready: "http:/readyz"}},
	}
	c, err := FromFile(f, flagWorld())
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Pools[0]; c.Path != "" || p.Recipe.Dir != "sub" || c.Control != "x.sock" || p.Spec.Workers != 4 {
		t.Errorf("%+v", c)
	}
	if line, column := c.Position("pool.app.workers"); line != 0 || column != 0 {
		t.Errorf("flags are at %d:%d", line, column)
	}
	bad := f.Pool["app"]
	bad.Workers, bad.Ready = &Workers{Count: "many"}, "maybe"
	bad.Stop.Grace, bad.Rollout.MaxSurge = new(Duration(-time.Second)), new(Share("0"))
	bad.Restart.GiveUpAfter = new(-1)
	bad.Command = append(bad.Command, "{{.Port.htp}}")
	f.Pool["app"] = bad
	_, err = FromFile(f, flagWorld())
	want := []string{
		`cannot read --grace -1s: a duration is not negative`,
		`cannot read --give-up-after -1: it is not negative`,
		`cannot read --workers "many": it is a number from 1 to 10000, cpus, or an expression such as 2*cpus+1`,
		`cannot read --ready "maybe": it is one of auto, notify, tcp, http:PATH, exec:COMMAND, delay:DURATION`,
		`cannot fill in command[1]: there is no listener with a port "htp"`,
		`    did you mean "http"?`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
}

func TestFlagsWithoutCommand(t *testing.T) {
	f := &File{Supervisor: SupervisorTable{Name: "app"}, Pool: map[string]PoolTable{"app": {}}}
	_, err := FromFile(f, flagWorld())
	p, ok := errors.AsType[Problem](err)
	if !ok || p.Key != "pool.app.command" || p.File != "" || p.Line != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := FromFile(&File{}, flagWorld()); err == nil {
		t.Error("nothing at all was taken for a configuration")
	}
}
