package archtest

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link   = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	word   = regexp.MustCompile("[^\\s`\"'()\\[\\],;|<>]+")
	ticked = regexp.MustCompile("`([a-z0-9_./-]+\\.go)`")
)

// Every path that a page names, as a link, in a command or in the text, exists.
func TestDocumentsNameWhatExists(t *testing.T) {
	tree := files(t)
	tops := topFolders(t)
	for _, page := range documents(t) {
		text := document(t, page)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "://") && !exists(path.Join(path.Dir(page), m[1])) {
				t.Errorf("%s links to %s, which does not exist", page, m[1])
			}
		}
		for _, w := range word.FindAllString(text, -1) {
			w = strings.TrimRight(w, ".:")
			first, _, isPath := strings.Cut(w, "/")
			if isPath && slices.Contains(tops, first) && !strings.ContainsAny(w, "…{") && !exists(w) {
				t.Errorf("%s names %s, which does not exist", page, w)
			}
		}
		for _, m := range ticked.FindAllStringSubmatch(text, -1) {
			if !slices.ContainsFunc(tree, func(f string) bool { return f == m[1] || strings.HasSuffix(f, "/"+m[1]) }) {
				t.Errorf("%s names the file %s, which does not exist", page, m[1])
			}
		}
	}
}

// The page about the folders has every one of them.
func TestArchitectureHasEveryPackage(t *testing.T) {
	text := document(t, "docs/architecture.md")
	for _, r := range rules {
		if !strings.Contains(text, "`"+r.dir+"`") && !strings.Contains(text, "`"+path.Dir(r.dir)+"`") {
			t.Errorf("docs/architecture.md does not say what belongs in %s", r.dir)
		}
	}
}

// Every signal that the supervisor knows is on the page about signals.
func signalsAreDocumented(t *testing.T, all []source) {
	page := document(t, "docs/signals.md")
	found := 0
	for _, s := range all {
		if s.test || !strings.HasPrefix(s.path, "supervisor/signals") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !strings.HasPrefix(sel.Sel.Name, "SIG") {
				return true
			}
			found++
			if !strings.Contains(page, sel.Sel.Name) {
				t.Errorf("%s: docs/signals.md does not explain %s", s.at(sel), sel.Sel.Name)
			}
			return true
		})
	}
	if found == 0 {
		t.Error("supervisor/signals*.go names no signal: this test looks in the wrong place")
	}
}

// The README stays a page that one reads to its end.
func TestReadme(t *testing.T) {
	text := document(t, "README.md")
	if n := strings.Count(text, "\n"); n > 150 {
		t.Errorf("README.md has %d lines; more belongs in docs/", n)
	}
	for _, command := range []string{"\nmake run\n", "\nmake test\n"} {
		if !strings.Contains(text, command) {
			t.Errorf("README.md does not show %q", strings.TrimSpace(command))
		}
	}
}

var (
	release = regexp.MustCompile(`^## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$`)
	kinds   = []string{"### Added", "### Changed", "### Deprecated", "### Removed", "### Fixed", "### Security"}
)

// The format is that of keepachangelog.com, with [Unreleased] on top.
func TestChangelog(t *testing.T) {
	lines := strings.Split(document(t, "CHANGELOG.md"), "\n")
	var versions []string
	last := -1
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "## "):
			versions = append(versions, line)
			last = -1
			if len(versions) > 1 && !release.MatchString(line) {
				t.Errorf("CHANGELOG.md:%d: %q is no version with a date", i+1, line)
			}
		case strings.HasPrefix(line, "### "):
			kind := slices.Index(kinds, line)
			if kind <= last {
				t.Errorf("CHANGELOG.md:%d: %q is none of %v in their order", i+1, line, kinds)
			}
			last = kind
		case strings.HasPrefix(line, "* "):
			t.Errorf("CHANGELOG.md:%d: entries begin with a hyphen", i+1)
		}
	}
	if len(lines) == 0 || lines[0] != "# Changelog" {
		t.Error("CHANGELOG.md has another title than # Changelog")
	}
	if len(versions) == 0 || versions[0] != "## [Unreleased]" {
		t.Error("CHANGELOG.md does not begin with ## [Unreleased]")
	}
}

func exists(name string) bool {
	name = strings.TrimSuffix(name, "/...")
	matches, err := filepath.Glob(filepath.Join(root, name))
	return err == nil && len(matches) > 0
}

// topFolders are those that a path in a document begins with. What is built or
// fetched may be absent.
func topFolders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var tops []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{".git", "bin", ".bin", "dist"}, e.Name()) {
			tops = append(tops, e.Name())
		}
	}
	return tops
}
