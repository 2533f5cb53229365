package config

import (
	"bytes"

	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is the type of a value in TOML.
type kind uint8

const (
	aTable kind = iota
	anArray
	aString
	anInteger
	aFloat
	aBoolean
	aDate
)

// String is the kind in a sentence: "not an array".
func (k kind) String() string {
	return [...]string{"a table", "an array", "a string", "a number", "a fraction", "true or false", "a date"}[k]
}

// node is one value of a document.
type node struct {
	kind    kind
	at      int    // offset of the value; of a table, of the last name that makes it
	text    string // of a scalar, as it means; numbers as they are written
	entries []*entry
	items   []*node
}

// entry is a key of a table with its value, in the order of the file.
type entry struct {
	name  string
	at    int // offset of the name
	value *node
}

func (n *node) find(name string) *entry {
	for _, e := range n.entries {
		if e.name == name {
			return e
		}
	}
	return nil
}

// builder makes the tree of a document that has been found valid: it need not look for what is defined twice.
type builder struct {
	parser  unstable.Parser
	text    []byte
	root    *node
	current *node
}

func buildTree(text []byte) (*node, error) {
	b := &builder{text: text, root: &node{kind: aTable}}
	b.current = b.root
	b.parser.Reset(text)
	for b.parser.NextExpression() {
		e := b.parser.Expression() // the parser keeps no comments
		switch {
		case e.Kind == unstable.Table:
			b.current = b.header(e, b.define)
		case e.Kind == unstable.ArrayTable:
			b.current = b.header(e, appendTable)
		case e.Kind == unstable.KeyValue:
			b.keyValue(b.current, e)
		}
	}
	return b.root, b.parser.Error()
}

// header walks from the root along the names of a table's header; end makes the last step.
func (b *builder) header(e *unstable.Node, end func(n *node, name string, at int) *node) *node {
	n := b.root
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		step := b.tableAt
		if keys.IsLast() {
			step = end
		}
		n = step(n, string(key.Data), int(key.Raw.Offset))
	}
	return n
}

// tableAt is the table of that name in n; of an array of tables, the last one.
func (b *builder) tableAt(n *node, name string, at int) *node {
	e := n.find(name)
	if e == nil {
		e = &entry{name: name, at: at, value: &node{kind: aTable, at: at}}
		n.entries = append(n.entries, e)
	}
	if e.value.kind == anArray && len(e.value.items) > 0 {
		return e.value.items[len(e.value.items)-1]
	}
	return e.value
}

// define is tableAt for the last name of a header: that is where the table is, not where a table in it came first.
func (b *builder) define(n *node, name string, at int) *node {
	table := b.tableAt(n, name, at)
	table.at = at
	if e := n.find(name); e.value == table {
		e.at = at
	}
	return table
}

func appendTable(n *node, name string, at int) *node {
	e := n.find(name)
	if e == nil {
		e = &entry{name: name, at: at, value: &node{kind: anArray, at: at}}
		n.entries = append(n.entries, e)
	}
	table := &node{kind: aTable, at: at}
	e.value.items = append(e.value.items, table)
	return table
}

func (b *builder) keyValue(n *node, e *unstable.Node) {
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		name, at := string(key.Data), int(key.Raw.Offset)
		if !keys.IsLast() {
			n = b.tableAt(n, name, at)
			continue
		}
		behind := int(key.Raw.Offset + key.Raw.Length)
		behind += bytes.IndexByte(b.text[behind:], '=') + 1
		behind += len(b.text[behind:]) - len(bytes.TrimLeft(b.text[behind:], " \t"))
		n.entries = append(n.entries, &entry{name: name, at: at, value: b.value(e.Value(), behind)})
	}
}

// value reads a value. Arrays do not know where they are, so the caller says where it would be.
func (b *builder) value(v *unstable.Node, at int) *node {
	if v.Raw.Length > 0 {
		at = int(v.Raw.Offset)
	}
	n := &node{at: at}
	switch {
	case v.Kind == unstable.Array:
		n.kind = anArray
		for items := v.Children(); items.Next(); {
			n.items = append(n.items, b.value(items.Node(), at))
		}
	case v.Kind == unstable.InlineTable:
		n.kind = aTable
		for items := v.Children(); items.Next(); {
			b.keyValue(n, items.Node())
		}
	default:
		n.kind, n.text = scalarKind(v.Kind), string(v.Data)
	}
	return n
}

// scalarKind is the kind of what is neither an array nor a table.
func scalarKind(k unstable.Kind) kind {
	known, ok := map[unstable.Kind]kind{
		unstable.String: aString, unstable.Integer: anInteger, unstable.Float: aFloat, unstable.Bool: aBoolean,
	}[k]
	if !ok {
		return aDate // there are four kinds of dates and times
	}
	return known
}
