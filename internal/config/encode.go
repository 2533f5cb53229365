package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Encode writes a File as text that Parse reads back: in the order of the tables above, pools and listeners in the order
// of their file or else of their names, each table before those in it. What is not said is not written; Complete says
// everything.
func Encode(f *File) ([]byte, error) {
	e := &encoder{file: f}
	if err := e.table("", reflect.ValueOf(f).Elem()); err != nil {
		return nil, fmt.Errorf("cannot write configuration: %w", err)
	}
	return []byte(e.text.String()), nil
}

type encoder struct {
	file *File
	text strings.Builder
}

// header begins a table.
func (e *encoder) header(key string) {
	if e.text.Len() > 0 {
		e.text.WriteByte('\n')
	}
	e.text.WriteString("[" + key + "]\n")
}

// table writes the values of a struct, and then the tables in it.
func (e *encoder) table(key string, v reflect.Value) error {
	names := fields(v.Type())
	for i, name := range names {
		if field := v.Field(i); !isTable(field) && !field.IsZero() {
			text, err := valueText(field)
			if err != nil {
				return fmt.Errorf("%s: %w", under(key, name), err)
			}
			if text != "[]" || field.Kind() == reflect.Pointer { // which says that nothing is meant
				e.text.WriteString(name + " = " + text + "\n")
			}
		}
	}
	for i, name := range names {
		field := v.Field(i)
		if !isTable(field) || field.IsZero() {
			continue
		}
		if err := e.inner(under(key, name), field); err != nil {
			return err
		}
	}
	return nil
}

func isTable(v reflect.Value) bool { return v.Kind() == reflect.Struct || v.Kind() == reflect.Map }

// inner writes a table within another: one with known keys, one of values, or one of tables.
func (e *encoder) inner(key string, v reflect.Value) error {
	if v.Kind() == reflect.Struct {
		e.header(key)
		return e.table(key, v)
	}
	values := v.Type().Elem().Kind() == reflect.String
	if values && v.Len() > 0 {
		e.header(key)
	}
	for _, name := range e.names(key, v) {
		at := v.MapIndex(reflect.ValueOf(name))
		if err := checkString(name + at.String()); err != nil {
			return fmt.Errorf("%s: %w", under(key, name), err)
		}
		if values {
			e.text.WriteString(bareOrQuoted(name) + " = " + quote(at.String()) + "\n")
			continue
		}
		e.header(under(key, name))
		if err := e.table(under(key, name), at); err != nil {
			return err
		}
	}
	return nil
}

// names are the keys of a map, in the order of the file they came from.
func (e *encoder) names(key string, v reflect.Value) []string {
	var all []string
	for _, name := range v.MapKeys() {
		all = append(all, name.String())
	}
	slices.Sort(all)
	if e.file.doc != nil {
		order := e.file.doc.order[key]
		slices.SortStableFunc(all, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	}
	return all
}

// valueText is a value as TOML writes it.
func valueText(v reflect.Value) (string, error) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch value := v.Interface().(type) {
	case fmt.Stringer: // a Duration or a Percent
		return quote(value.String()), nil
	case Workers:
		return workersText(value)
	}
	switch v.Kind() { //nolint:exhaustive // a File has these types alone
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64), nil
	case reflect.String:
		if _, ok := reflect.TypeAssert[numberOrString](reflect.New(v.Type())); ok && number(v.String()) {
			return v.String(), nil
		}
		return quote(v.String()), checkString(v.String())
	case reflect.Slice:
		words := make([]string, v.Len())
		for i := range words {
			var err error
			if words[i], err = valueText(v.Index(i)); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(words, ", ") + "]", nil
	default:
		return "", fmt.Errorf("no text for type %s", v.Type())
	}
}

// workersText is a number of workers, or the bounds of one.
func workersText(w Workers) (string, error) {
	if !w.follows() {
		return valueText(reflect.ValueOf(w.Count))
	}
	var parts []string
	for _, bound := range []struct {
		name  string
		count Count
	}{{"min", w.Min}, {"max", w.Max}} {
		if bound.count == "" {
			continue
		}
		text, err := valueText(reflect.ValueOf(bound.count))
		if err != nil {
			return "", err
		}
		parts = append(parts, bound.name+" = "+text)
	}
	return "{" + strings.Join(parts, ", ") + "}", nil
}

var errUTF8 = errors.New("a value is not UTF-8, which is all that TOML can hold")

func checkString(s string) error {
	if !utf8.ValidString(s) {
		return errUTF8
	}
	return nil
}

// number reports whether a word is a number as TOML writes it.
func number(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}
