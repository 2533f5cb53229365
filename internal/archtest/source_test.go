package archtest

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	maxLines     = 300 // a longer file has two subjects
	maxTestLines = 600
)

// TestSources reads the tree once for all that is demanded of it.
func TestSources(t *testing.T) {
	all := sources(t)
	for name, demand := range map[string]func(*testing.T, []source){
		"files are short":                filesAreShort,
		"packages say what they promise": packagesSayWhatTheyPromise,
		"imports follow the table":       importsFollowTheTable,
		"tests do not sleep":             testsDoNotSleep,
		"decisions are pure":             decisionsArePure,
		"nothing happens at init":        nothingHappensAtInit,
		"nothing is left for later":      nothingIsLeftForLater,
		"signals are documented":         signalsAreDocumented,
	} {
		t.Run(name, func(t *testing.T) { demand(t, all) })
	}
}

func filesAreShort(t *testing.T, all []source) {
	for _, s := range all {
		limit := maxLines
		if s.test {
			limit = maxTestLines
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines, more than %d: split it by event or by noun", s.path, s.lines, limit)
		}
	}
}

func packagesSayWhatTheyPromise(t *testing.T, all []source) {
	documented, seen := map[string]bool{}, map[string]bool{}
	for _, s := range all {
		seen[s.dir] = true
		doc := s.file.Doc.Text()
		if strings.HasPrefix(doc, "Package "+s.file.Name.Name) || strings.HasPrefix(doc, "Command ") {
			documented[s.dir] = true
		}
	}
	for dir := range seen {
		if !documented[dir] {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func testsDoNotSleep(t *testing.T, all []source) {
	for _, s := range all {
		if !s.test || excepted(sleepers, s.path) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if calls(n, "time", "Sleep") {
				t.Errorf("%s: wait for a fact, not for time", s.at(n))
			}
			return true
		})
	}
}

func decisionsArePure(t *testing.T, all []source) {
	for _, s := range all {
		if s.dir != "supervisor/machine" || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
				t.Errorf("%s: concurrency in the machine", s.at(n))
			case *ast.SelectorExpr:
				for _, name := range []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep", "Tick"} {
					if selects(n, "time", name) {
						t.Errorf("%s: time enters the machine only as an event", s.at(n))
					}
				}
			}
			return true
		})
	}
}

func nothingHappensAtInit(t *testing.T, all []source) {
	for _, s := range all {
		if excepted(initializers, s.path) {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init", s.at(f))
			}
		}
	}
}

// The words are put together here so that this file does not contain them.
var (
	unfinished = []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}
	alone      = regexp.MustCompile(`\b(` + strings.Join(unfinished, "|") + `)\b`)
)

func nothingIsLeftForLater(t *testing.T, all []source) {
	for _, s := range all {
		if !slices.ContainsFunc(unfinished, func(word string) bool { return strings.Contains(s.text, word) }) {
			continue // the expression takes its time
		}
		if m := alone.FindString(s.text); m != "" {
			t.Errorf("%s says %s: finish it, or write an issue", s.path, m)
		}
	}
}

func calls(n ast.Node, pkg, name string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && selects(sel, pkg, name)
}

func selects(sel *ast.SelectorExpr, pkg, name string) bool {
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg && sel.Sel.Name == name
}
