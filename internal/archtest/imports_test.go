package archtest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/broodctl/brood"

// linuxFile is a name that the go command builds on Linux alone.
var linuxFile = regexp.MustCompile(`_linux(_[a-z0-9]+)?\.go$`)

func importsFollowTheTable(t *testing.T, all []source) {
	used := map[string]bool{}
	for _, s := range all {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.dir == s.dir })
		if i < 0 {
			t.Errorf("%s: its package is not in the table of internal/archtest/table_test.go", s.path)
			continue
		}
		used[s.dir] = true
		for _, imported := range s.imports() {
			if why := rules[i].forbids(imported, s); why != "" {
				t.Errorf("%s imports %s: %s\n\t(%s: %s)", s.path, imported, why, s.dir, rules[i].reason)
			}
		}
	}
	for _, r := range rules {
		if !used[r.dir] {
			t.Errorf("the table has a rule for %s, which does not exist", r.dir)
		}
		if r.reason == "" {
			t.Errorf("the rule for %s has no reason", r.dir)
		}
	}
}

// forbids returns why the file may not import the path, or nothing.
func (r rule) forbids(imported string, s source) string {
	switch {
	case under(imported, module):
		return r.forbidsOurs(strings.TrimPrefix(strings.TrimPrefix(imported, module), "/"), s)
	case !strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
		return r.forbidsStd(imported, s)
	case s.test && slices.ContainsFunc(testOnly, func(p string) bool { return under(imported, p) }):
		return ""
	case !slices.ContainsFunc(r.foreign, func(p string) bool { return under(imported, p) }):
		return "this module is not for this package"
	case under(imported, xsys) && !s.test && !linuxFile.MatchString(s.path):
		return "system calls belong in files named *_linux.go"
	}
	return ""
}

func (r rule) forbidsOurs(imported string, s source) string {
	switch {
	case strings.HasPrefix(imported, "cmd/"):
		return "nobody imports a command"
	case slices.Contains(r.ours, "*"), slices.Contains(r.ours, imported):
		return ""
	case s.test && slices.Contains(r.testOurs, imported):
		return ""
	}
	return "the arrow points the wrong way"
}

func (r rule) forbidsStd(imported string, s source) string {
	if r.std == nil || s.test || slices.Contains(r.std, imported) {
		return ""
	}
	return "only " + strings.Join(r.std, ", ") + " are for this package"
}

// under says whether an import path is the given one or below it.
func under(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, prefix+"/")
}

// The table must not permit what the rules of the whole tree forbid.
func TestForeignModulesHaveOnePlace(t *testing.T) {
	places := []struct {
		foreign string
		dirs    []string
		reason  string
	}{
		{cli, []string{"cmd/"}, "flags are words of the user; nothing behind the command line knows them"},
		{zerolog, []string{"cmd/", "supervisor", "supervisor/host", "internal/"}, "the public packages report by values and errors, their user logs"},
		{goSystemd, []string{"supervisor", "supervisor/host", "listener", "internal/compat/gohttp"}, "the manager is spoken to by the wiring, the loop and the socket inheritance"},
	}
	for _, r := range rules {
		for _, p := range places {
			if slices.ContainsFunc(r.foreign, func(f string) bool { return under(f, p.foreign) }) &&
				!slices.ContainsFunc(p.dirs, func(d string) bool { return r.dir == d || strings.HasSuffix(d, "/") && strings.HasPrefix(r.dir, d) }) {
				t.Errorf("the table permits %s in %s: %s", p.foreign, r.dir, p.reason)
			}
		}
	}
}
