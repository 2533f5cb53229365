package config

import (
	"errors"
	"strings"
	"text/template"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// The defaults of log files.
const (
	defaultLogSize = FileSize("100M")
	defaultLogKeep = 7
)

const modeFile = "file"

// completeLog knows that a file was meant where one is named.
func completeLog(t *LogTable) {
	mode := "auto"
	if t.File != "" {
		mode = modeFile
	}
	t.Mode = or(t.Mode, mode)
	if t.Mode != modeFile {
		return
	}
	t.Format = or(t.Format, "plain")
	t.MaxSize = or(t.MaxSize, defaultLogSize)
	t.MaxAge = orPointer(t.MaxAge, 0)
	t.Keep = orPointer(t.Keep, defaultLogKeep)
}

// log reads [pool.NAME.log].
func (r *resolver) log(table string, t LogTable, p *Pool) {
	modes := words("auto", "prefix", "tail", "inherit", "json", modeFile, "journald")
	oneOf(r, under(table, "mode"), t.Mode, modes)
	p.Log = plan.Log{Mode: t.Mode, Backpressure: t.Backpressure}
	if key := under(table, "mode"); p.Orphans == worker.OrphanKeep && t.Mode != "auto" && t.Mode != "inherit" {
		r.bad(key, `write mode = "inherit"`, "cannot keep orphans with %s %s: they would die of the broken pipe", r.name(key), t.Mode)
	}
	if key := under(table, "backpressure"); t.Backpressure && t.Mode == "inherit" {
		r.bad(key, "leave it out: who inherits a descriptor feels what is behind it", "%s has no place beside mode %s", r.name(key), t.Mode)
	}
	switch {
	case t.Mode == modeFile:
		r.logFile(table, t, p)
	case modes[t.Mode] != "":
		r.onlyForFiles(table, t)
	}
}

// onlyForFiles reports what says something of a file that there is not.
func (r *resolver) onlyForFiles(table string, t LogTable) {
	for _, k := range []struct {
		key  string
		said bool
	}{
		{"file", t.File != ""},
		{"format", t.Format != ""},
		{"max_size", t.MaxSize != ""},
		{"max_age", t.MaxAge != nil},
		{"keep", t.Keep != nil},
		{"compress", t.Compress},
	} {
		if key := under(table, k.key); k.said {
			r.bad(key, `write mode = "file" and a file`, "%s is only for mode file, and the mode is %s", r.name(key), t.Mode)
		}
	}
}

func (r *resolver) logFile(table string, t LogTable, p *Pool) {
	p.Log.File, p.Log.Keep, p.Log.Compress = t.File, *t.Keep, t.Compress
	p.Log.Format = oneOf(r, under(table, "format"), t.Format, words("plain", "prefix", "json"))
	if !strings.HasPrefix(t.File, "{{") {
		p.Log.File = r.world.absolute(t.File)
	}
	size, err := t.MaxSize.Of()
	if key := under(table, "max_size"); err != nil {
		r.unreadable(key, string(t.MaxSize), err)
	}
	p.Log.MaxSize, p.Log.MaxAge = size, time.Duration(*t.MaxAge)
	if key := under(table, "max_age"); p.Log.MaxAge != 0 && p.Log.MaxAge < time.Second {
		r.bad(key, "0s is any age", "%s (%s) is too short: the least is 1s", r.name(key), t.MaxAge)
	}
	if key := under(table, "keep"); *t.Keep < 0 {
		r.bad(key, "", "cannot read %s %d: it is not negative", r.name(key), *t.Keep)
	}
	key := under(table, "file")
	switch _, err := p.Log.Path(p.Name, 0, "stdout"); {
	case t.File == "":
		r.bad(key, `as in file = "/var/log/brood/{{.Pool}}.{{.Slot}}.log"`, "mode file needs a file")
	case errors.As(err, new(template.ExecError)):
		r.bad(key, "", "cannot fill in %s: there are Pool, Slot and Stream", r.name(key))
	case err != nil:
		r.bad(key, "", "cannot use %s: %v", r.name(key), err)
	}
}

// logFiles reports a file of two pools: each would rotate it as it thinks right.
func (r *resolver) logFiles() {
	owner := map[string]string{}
	for i := range r.cfg.Pools {
		p := &r.cfg.Pools[i]
		for slot := range p.MostWorkers() {
			for _, stream := range []string{"stdout", "stderr"} {
				path, err := p.Log.Path(p.Name, slot, stream)
				if p.Log.Mode != modeFile || err != nil {
					continue
				}
				other, taken := owner[path]
				key := Key("pool", p.Name, "log", "file")
				if taken && other != p.Name && !r.hasProblem(key) {
					r.bad(key, "a template with {{.Pool}} keeps them apart", "pools %s and %s have one log file %s", other, p.Name, path)
				}
				owner[path] = p.Name
			}
		}
	}
}
