package nftables

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/broodctl/brood/internal/config"
)

// Options are what the configuration does not say.
type Options struct {
	Table string // name of the table; "" is brood- and the supervisor's name
	// Now says how per-slot listeners are at this moment, by their names. Those that are not in it, and those that have
	// nobody who serves, are led to as the configuration has them.
	Now map[string]Turns
}

// Turns are the slots of a per-slot listener.
type Turns struct {
	Slots   int
	Serving []int // those of them that take connections
}

// Render writes the rules, as nft -f reads them. An *Error says why there can be none.
func Render(cfg *config.Config, opt Options) (string, error) {
	table := tableOf(cfg, opt)
	if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,199}$`).MatchString(table) {
		return "", errTable(table)
	}
	targets, err := targetsOf(cfg, opt.Now)
	if err != nil {
		return "", err
	}
	r := &ruleset{table: table}
	r.head(cfg)
	for i := range targets {
		if targets[i].redir != "" {
			r.turns(&targets[i])
		}
	}
	for i, c := range chains() {
		if i > 0 {
			r.line("")
		}
		r.chain(&c, allRules(targets, c.from))
	}
	r.line("}")
	return r.text.String(), nil
}

// identifier makes a name of signs that nft takes unquoted.
func identifier(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
			return c
		}
		return '_'
	}, name)
}

type ruleset struct {
	table string
	text  strings.Builder
}

func (r *ruleset) line(format string, args ...any) {
	_, _ = fmt.Fprintf(&r.text, format+"\n", args...)
}

func (r *ruleset) head(cfg *config.Config) {
	r.line("#!/usr/sbin/nft -f")
	from := ""
	if cfg.Path != "" {
		from = fmt.Sprintf(" from %q", cfg.Path)
	}
	r.line("# Public ports of %s. Written by brood nft%s.", cfg.Name, from)
	r.line("")
	r.line("# The first two lines make the file replace what an earlier run of it loaded.")
	r.line("table inet %s", r.table)
	r.line("delete table inet %s", r.table)
	r.line("")
	r.line("table inet %s {", r.table)
}

// turns writes the map from a turn to the port of a slot.
func (r *ruleset) turns(t *target) {
	r.line("\t# Turn -> port of a slot of %s. To take a slot out, point its turn at another port.", t.name)
	r.line("\tmap %s {", t.redir)
	r.line("\t\ttypeof numgen inc mod %d : %s dport", t.slots, t.proto)
	r.line("\t\telements = %s", t.elements())
	r.line("\t}")
	r.line("")
}

func (r *ruleset) chain(c *chain, rules []string) {
	r.line("\t# %s", c.about)
	r.line("\tchain %s {", c.name)
	r.line("\t\ttype nat hook %s priority %s; policy accept;", c.name, c.priority)
	for _, rule := range rules {
		r.line("\t\t%s", rule)
	}
	r.line("\t}")
}
