package config

import (
	"fmt"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// Load reads a file and returns what it means. What is wrong with its content is Problems; other errors are those of
// reading it.
func Load(path string, w World) (*Config, error) {
	text, err := w.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read configuration: %w", err)
	}
	f, err := Parse(path, text)
	if err != nil {
		return nil, err
	}
	return FromFile(f, w)
}

// Parse reads the text of a file, whose name is for messages, and where its relative paths begin. Its error is Problems
// with one mistake in the syntax. Whatever else is wrong is kept in the File, and FromFile reports it with what it finds
// itself.
func Parse(name string, text []byte) (*File, error) {
	doc := &document{name: name, text: text, marks: map[string]mark{}, order: map[string][]string{}}
	var all map[string]any
	err := toml.Unmarshal(text, &all)
	if err == nil {
		doc.root, err = buildTree(text)
	}
	if err != nil {
		return nil, Problems{doc.syntax(err)}
	}
	return decode(doc), nil
}

// dirOf is where the relative paths of a file begin.
func dirOf(name string) string {
	dir := filepath.Dir(name)
	if absolute, err := filepath.Abs(dir); err == nil {
		return absolute
	}
	return dir
}
