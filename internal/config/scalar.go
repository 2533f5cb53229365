package config

import (
	"math"
	"reflect"
	"strconv"
	"strings"
)

// textValue is a value that is written as a string only, such as Duration.
type textValue interface {
	UnmarshalText([]byte) error
	readNumber(text string) error
}

// numberOrString is a value that keeps what is written, as a number or as a string; FromFile reads it.
type numberOrString interface{ numberOrString() }

func (d *decoder) text(p textValue, n *node, key string) {
	var err error
	switch n.kind {
	case aString:
		err = p.UnmarshalText([]byte(n.text))
	case anInteger, aFloat:
		err = p.readNumber(n.text)
	case aTable, anArray, aBoolean, aDate:
		d.bad(n.at, key, "", "%s is a string, not %s", last(key), n.kind)
		return
	}
	if err != nil {
		d.bad(n.at, key, hintOf(err), "cannot read %s %s: %v", last(key), shownValue(n), err)
	}
}

func shownValue(n *node) string {
	if n.kind == aString {
		return strconv.Quote(n.text)
	}
	return n.text
}

func (d *decoder) numberOrString(v reflect.Value, n *node, key string) {
	switch n.kind {
	case aString:
		if n.text == "" {
			d.bad(n.at, key, "leave it out for the default", "%s is empty", last(key))
		}
		v.SetString(n.text)
	case anInteger:
		if i, err := strconv.ParseInt(n.text, 0, 64); err == nil {
			v.SetString(strconv.FormatInt(i, 10))
		}
	case aFloat, aTable, anArray, aBoolean, aDate:
		d.bad(n.at, key, "", "%s is a number or a string, not %s", last(key), n.kind)
	}
}

// workers reads a number of workers, or a table with two of them.
func (d *decoder) workers(v reflect.Value, n *node, key string) {
	switch n.kind {
	case aTable:
		d.table(v, n, key)
	case anArray, aFloat, aBoolean, aDate:
		d.bad(n.at, key, "", "%s is a number, a string, or {min = 2, max = 16}, not %s", last(key), n.kind)
	case aString, anInteger:
		d.numberOrString(v.FieldByName("Count"), n, key)
	}
}

// control reads the path of the control socket, or the table that has it.
func (d *decoder) control(v reflect.Value, n *node, key string) {
	switch n.kind {
	case aTable:
		d.table(v, n, key)
	case aString:
		if n.text == "" {
			d.bad(n.at, key, "leave it out for the default", "%s is empty", last(key))
		}
		v.FieldByName("Path").SetString(n.text)
	case anArray, anInteger, aFloat, aBoolean, aDate:
		d.bad(n.at, key, "", "%s is a path, or a table, not %s", last(key), n.kind)
	}
}

// fraction reads a number that may have a part behind the point. 0 is refused, as is what is no number.
func (d *decoder) fraction(v reflect.Value, n *node, key string) {
	if n.kind != aFloat && !d.is(anInteger, n, key, v.Type()) {
		return
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
	if err != nil || math.IsNaN(f) || f <= 0 || f > maxDepth {
		d.bad(n.at, key, "", "cannot read %s %s: it is a number above 0 and up to %.0f, such as 1.5", last(key), n.text, maxDepth)
		return
	}
	v.SetFloat(f)
}

// bounded is a number with limits of its own.
type bounded interface{ bounds() (least, most int64) }

// number reads a number that is not negative, or within its bounds. Where 0 would mean "not said" it is refused as well.
func (d *decoder) number(v reflect.Value, n *node, key string) {
	if !d.is(anInteger, n, key, v.Type()) {
		return
	}
	least, most := int64(0), int64(math.MaxInt32)
	if b, ok := reflect.TypeAssert[bounded](v.Addr()); ok {
		least, most = b.bounds()
	}
	i, err := strconv.ParseInt(n.text, 0, 64)
	if err != nil || i < least || i > most {
		d.bad(n.at, key, "", "cannot read %s %s: it is a number from %d to %d", last(key), n.text, least, most)
		return
	}
	v.SetInt(i)
}
