package config

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// environment puts together what the user sets: files, then env, then credentials. The result is in the order of the
// names, so that another order in a file is no change.
func (r *resolver) environment(table string, t PoolTable, p *Pool) {
	values := map[string]string{}
	for i, word := range t.EnvFile {
		for _, v := range r.envFile(item(under(table, "env_file"), i), word) {
			values[v.Name] = literal(v.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		r.variable(under(under(table, "env"), name), name)
		values[name] = t.Env[name]
	}
	for _, name := range slices.Sorted(maps.Keys(t.Credentials)) {
		key := under(under(table, "credentials"), name)
		r.variable(key, name)
		if _, twice := t.Env[name]; twice {
			r.badSecret(key, "remove one of them", "variable %s is set both by env and by credentials", name)
		} else if _, twice := values[name]; twice {
			r.badSecret(key, "remove one of them", "variable %s is set both by env_file and by credentials", name)
		}
		r.credential(key, name, t.Credentials[name], p, values)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.Recipe.Env = append(p.Recipe.Env, worker.Var{Name: name, Value: values[name]})
	}
}

func (r *resolver) credential(key, name, word string, p *Pool, values map[string]string) {
	if r.hasProblem(key) {
		return
	}
	value, digest, err := readCredential(r.world, word)
	if err != nil {
		r.badSecret(key, hintOf(err), "variable %s: %v", name, err)
		return
	}
	values[name] = literal(value)
	if digest == "" {
		p.Secrets = append(p.Secrets, name)
		return
	}
	if p.Sources == nil {
		p.Sources = map[string]string{}
	}
	p.Sources[name] = digest
}

// envFile reads a file of variables. As in EnvironmentFile= of systemd.exec(5) one with - in front may be missing.
func (r *resolver) envFile(key, word string) []worker.Var {
	path, optional := strings.CutPrefix(word, "-")
	path = r.world.absolute(path)
	if path == "" || r.hasProblem(key) {
		return nil
	}
	text, err := r.world.ReadFile(path)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		r.bad(key, "", "cannot read variables from %s: %v", path, withoutPath(err))
		return nil
	}
	vars, problems := parseEnvFile(path, text)
	for _, p := range problems {
		if !slices.Contains(r.problems, p) { // several pools may have the file
			r.problems = append(r.problems, p)
		}
	}
	for _, v := range vars {
		if handshake.Private(v.Name) {
			r.bad(key, "remove it from the file", "variable %s in %s is brood's own", v.Name, path)
		}
	}
	return vars
}
