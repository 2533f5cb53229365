package config

import (
	"bytes"
	"unicode/utf8"
)

// document is a file as it is written, with places.
type document struct {
	name     string
	text     []byte
	root     *node
	marks    map[string]mark     // by key
	order    map[string][]string // of the names that the user chose, by the key of their table
	problems Problems            // of decoding
}

// mark is where a key and its value are, as offsets.
type mark struct{ key, value int }

// place turns an offset into line, column and the text of the line.
func (d *document) place(offset int) (line, column int, source string) {
	offset = min(max(offset, 0), len(d.text))
	line = 1 + bytes.Count(d.text[:offset], []byte("\n"))
	start := bytes.LastIndexByte(d.text[:offset], '\n') + 1
	column = 1 + utf8.RuneCount(d.text[start:offset])
	rest, _, _ := bytes.Cut(d.text[start:], []byte("\n"))
	return line, column, string(bytes.TrimRight(rest, "\r"))
}

// offset is the opposite of place, for columns in bytes.
func (d *document) offset(line, column int) int {
	at := 0
	for range line - 1 {
		next := bytes.IndexByte(d.text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return min(at+max(column-1, 0), len(d.text))
}

// find is where a key is, or the innermost table that it would be in.
func (d *document) find(key string) mark {
	for ; key != ""; key = parent(key) {
		if m, ok := d.marks[key]; ok {
			return m
		}
	}
	return mark{}
}

// Position returns where a key stands in the file, or the table that it would be in: line and column, from 1; 0 for a
// configuration that came from flags. Keys are made with Key.
func (c *Config) Position(key string) (line, column int) {
	if c.doc == nil {
		return 0, 0
	}
	line, column, _ = c.doc.place(c.doc.find(key).value)
	return line, column
}

// Problem is a problem with a key that was found later, such as an address that cannot be had.
func (c *Config) Problem(key, message, hint string) Problem {
	p := Problem{Key: key, Message: message, Hint: hint}
	if c.doc != nil {
		p.File = c.doc.name
		p.Line, p.Column, p.Source = c.doc.place(c.doc.find(key).value)
	}
	return p
}
