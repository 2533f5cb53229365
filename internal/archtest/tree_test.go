package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is one Go file of the tree.
type source struct {
	path  string // relative to the root, with slashes
	dir   string
	test  bool
	lines int
	text  string
	fset  *token.FileSet
	file  *ast.File
}

func (s source) at(n ast.Node) string {
	pos := s.fset.Position(n.Pos())
	pos.Filename = s.path
	return pos.String()
}

// imports returns the import paths of the file.
func (s source) imports() []string {
	var paths []string
	for _, i := range s.file.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

const root = "../.."

// sources parses every Go file of the tree, whatever its build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, path := range files(t) {
		if filepath.Ext(path) != ".go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		s := source{path: path, dir: filepath.Dir(path), test: strings.HasSuffix(path, "_test.go"), text: string(text), fset: token.NewFileSet()}
		s.lines = strings.Count(s.text, "\n")
		if s.file, err = parser.ParseFile(s.fset, path, text, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// files lists the tree without what is built or fetched.
func files(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "bin", ".bin", "dist", "testdata", "node_modules"}, d.Name()) {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(root, path)
		if err == nil && !d.IsDir() {
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents are the pages whose claims are checked.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pages {
		pages[i] = "docs/" + filepath.Base(p)
	}
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range examples {
		pages = append(pages, "examples/"+filepath.Base(filepath.Dir(p))+"/README.md")
	}
	return append(pages, "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
}

func excepted(list []exception, path string) bool {
	return slices.ContainsFunc(list, func(e exception) bool { return strings.HasPrefix(path, e.file) })
}
