package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// decoder fills a File from a document. It goes on after a mistake, so that it finds all.
type decoder struct {
	doc *document
}

func decode(doc *document) *File {
	f := &File{doc: doc}
	d := &decoder{doc: doc}
	d.table(reflect.ValueOf(f).Elem(), doc.root, "")
	return f
}

// bad reports a problem at an offset.
func (d *decoder) bad(at int, key, hint, format string, args ...any) {
	p := Problem{File: d.doc.name, Key: key, Message: fmt.Sprintf(format, args...), Hint: hint}
	p.Line, p.Column, p.Source = d.doc.place(at)
	if secret(key) {
		p.Source, p.Hint = "", ""
	}
	d.doc.problems = append(d.doc.problems, p)
}

// mostProblems is more than anybody corrects at once. What has so many is another kind of file, and may be large.
const mostProblems = 100

// hasEnough reports whether there are too many mistakes to go on, and says so once.
func (d *decoder) hasEnough() bool {
	n := len(d.doc.problems)
	if n == mostProblems {
		d.bad(len(d.doc.text), "", "", "these are the first %d mistakes; there are more", mostProblems)
	}
	return n >= mostProblems
}

func (d *decoder) value(v reflect.Value, n *node, key string) {
	switch p := v.Addr().Interface().(type) {
	case textValue:
		d.text(p, n, key)
		return
	case numberOrString:
		d.numberOrString(v, n, key)
		return
	case *Workers:
		d.workers(v, n, key)
		return
	case *ControlTable:
		d.control(v, n, key)
		return
	}
	switch v.Kind() { //nolint:exhaustive // a File has these types alone
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(v.Elem(), n, key)
	case reflect.Struct:
		if d.is(aTable, n, key, v.Type()) {
			d.table(v, n, key)
		}
	case reflect.Map:
		if d.is(aTable, n, key, v.Type()) {
			d.names(v, n, key)
		}
	case reflect.Slice:
		if d.is(anArray, n, key, v.Type()) {
			d.array(v, n, key)
		}
	case reflect.Int:
		d.number(v, n, key)
	case reflect.Float64:
		d.fraction(v, n, key)
	case reflect.Bool:
		if d.is(aBoolean, n, key, v.Type()) {
			v.SetBool(n.text == "true")
		}
	case reflect.String:
		if d.is(aString, n, key, v.Type()) {
			v.SetString(n.text)
		}
	default:
		panic("config: no values of type " + v.Type().String())
	}
}

func (d *decoder) array(v reflect.Value, n *node, key string) {
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, element := range n.items {
		at := item(key, i)
		d.doc.marks[at] = mark{element.at, element.at}
		d.value(v.Index(i), element, at)
	}
}

// names fills a map, whose keys the user chose.
func (d *decoder) names(v reflect.Value, n *node, key string) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range n.entries {
		at := under(key, e.name)
		d.doc.marks[at] = mark{e.at, e.value.at}
		d.doc.order[key] = append(d.doc.order[key], e.name)
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(value, e.value, at)
		v.SetMapIndex(reflect.ValueOf(e.name), value)
	}
}

// table fills a struct, and reports keys that it does not have.
func (d *decoder) table(v reflect.Value, n *node, key string) {
	known := fields(v.Type())
	for _, e := range n.entries {
		if d.hasEnough() {
			return
		}
		name := e.name
		if !slices.Contains(known, name) {
			name = d.unknown(e, key, known)
			if name == "" || n.find(name) != nil {
				continue
			}
		}
		field := v.FieldByIndex([]int{slices.Index(known, name)})
		at := under(key, name)
		d.doc.marks[at] = mark{e.at, e.value.at}
		before := len(d.doc.problems)
		if d.value(field, e.value, at); len(d.doc.problems) > before {
			continue
		}
		if e.value.kind == aString && field.Kind() == reflect.String && field.IsZero() {
			d.bad(e.value.at, at, "leave it out for the default", "%s is empty", name)
		}
		if e.value.kind == anInteger && field.Kind() == reflect.Int && field.IsZero() {
			d.bad(e.value.at, at, "leave it out for the default", "%s is at least 1", name)
		}
	}
}

// unknown reports a key and returns the one that was meant, "" if nobody can tell. A key that is known elsewhere is one
// in the wrong place, however much it looks like one of these.
func (d *decoder) unknown(e *entry, key string, known []string) string {
	hint, meant := "it is one of "+strings.Join(known, ", "), or(alike(e.name, known), alias(e.name, known))
	if home := homeOf(e, key); meant == "" && home != "" {
		hint = home
	} else {
		meant = or(meant, nearest(e.name, known))
	}
	if meant != "" {
		hint = "did you mean " + quote(meant) + "?"
	}
	d.bad(e.at, under(key, e.name), hint, "unknown key %s in %s", bareOrQuoted(e.name), tableName(key))
	if p := &d.doc.problems[len(d.doc.problems)-1]; meant != "" && secret(under(key, meant)) {
		p.Source = ""
	}
	return meant
}

func tableName(key string) string {
	if key == "" {
		return "the file"
	}
	return "[" + key + "]"
}

// fields are the keys of a table, in the order of its fields.
func fields(t reflect.Type) []string {
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
