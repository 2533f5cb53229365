package archtest

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

const (
	maxLines     = 300 // a longer file has two subjects
	maxTestLines = 600
)

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		limit := maxLines
		if s.test {
			limit = maxTestLines
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines, more than %d: split it by event or by noun", s.path, s.lines, limit)
		}
	}
}

func TestPackagesSayWhatTheyPromise(t *testing.T) {
	documented, seen := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
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

func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t) {
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

func TestDecisionsArePure(t *testing.T) {
	for _, s := range sources(t) {
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

func TestNothingHappensAtInit(t *testing.T) {
	for _, s := range sources(t) {
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
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

func TestNothingIsLeftForLater(t *testing.T) {
	for _, s := range sources(t) {
		if m := unfinished.FindString(s.text); m != "" {
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
