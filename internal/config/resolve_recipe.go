package config

import (
	"slices"
	"strings"

	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// recipe reads what is executed, where and as whom.
func (r *resolver) recipe(table string, t PoolTable, p *Pool) {
	p.Recipe = worker.RecipeConfig{
		Argv: slices.Clone(t.Command), Dir: t.Dir, User: t.User, Group: t.Group, Groups: slices.Clone(t.Groups),
		WorkerIDEnv: slices.Clone(t.WorkerIDEnv), FDsEnv: slices.Clone(t.FDsEnv),
	}
	if !strings.HasPrefix(t.Dir, "{{") {
		p.Recipe.Dir = r.world.absolute(t.Dir)
	}
	command := under(table, "command")
	switch {
	case len(t.Command) == 0:
		r.bad(command, `write command = ["node", "server.js"], for example`, "pool %s has no command", p.Name)
	case t.Command[0] == "":
		r.bad(item(command, 0), "", "the program is empty")
	case strings.ContainsAny(t.Command[0], " \t") && len(t.Command) == 1 && !strings.ContainsAny(t.Command[0], `/{`):
		r.bad(item(command, 0), "write "+arrayOf(t.Command[0], "command"), "the program is one word, and each argument a string of its own")
	}
	r.identity(table, t)
	r.ownNames(table, t)
	r.environment(table, t, p)
	r.templates(table, t, p)
}

// identity asks whether the users and groups are there.
func (r *resolver) identity(table string, t PoolTable) {
	ask := func(key, user, group string) {
		if user+group == "" {
			return
		}
		if err := r.lookup(user, group); err != nil {
			r.unreadable(key, user+group, err)
		}
	}
	ask(under(table, "user"), t.User, "")
	ask(under(table, "group"), "", t.Group)
	for i, group := range t.Groups {
		ask(item(under(table, "groups"), i), "", group)
	}
}

// ownNames checks the further names for what brood tells a worker.
func (r *resolver) ownNames(table string, t PoolTable) {
	seen := map[string]bool{}
	check := func(key string, names []string) {
		for i, name := range names {
			at := item(under(table, key), i)
			r.variable(at, name)
			_, inEnv := t.Env[name]
			_, inCredentials := t.Credentials[name]
			switch {
			case seen[name]:
				r.bad(at, "", "variable %s is asked for twice", name)
			case inEnv || inCredentials:
				r.bad(at, "", "variable %s is set by the user as well", name)
			}
			seen[name] = true
		}
	}
	check("worker_id_env", t.WorkerIDEnv)
	check("fds_env", t.FDsEnv)
}

// variable checks the name of an environment variable; see environ(7).
func (r *resolver) variable(key, name string) {
	switch {
	case name == "" || strings.ContainsAny(name, "=\x00"):
		r.badName(key, "", "%q cannot be the name of a variable", name)
	case handshake.Private(name):
		r.badName(key, "the supervisor sets it, or keeps it from its workers", "variable %s is brood's own", name)
	}
}
