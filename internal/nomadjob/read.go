package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// tree is a block: attributes by their names, blocks below it as arrays, its label as "label".
type tree map[string]any

// read reads a block whose Go type has the names as tags. What has no type, such as the options of a driver, may have any.
func read(body *hclsyntax.Body, t reflect.Type) (tree, error) {
	known, into := fields(t), tree{}
	for name, attribute := range body.Attributes {
		f, there := known[name]
		if known != nil && (!there || f.kind == "block" || f.kind == "label") {
			return nil, fmt.Errorf("%s: there is no attribute %s", attribute.SrcRange, name)
		}
		value, err := evaluate(attribute, f.of)
		if err != nil {
			return nil, err
		}
		into[name] = value
	}
	for _, block := range body.Blocks {
		f, there := known[block.Type]
		if !there || f.kind != "block" {
			return nil, fmt.Errorf("%s: there is no block %s", block.TypeRange, block.Type)
		}
		below, err := read(block.Body, f.of)
		if err != nil {
			return nil, err
		}
		if labels := strings.Join(block.Labels, " "); labels != "" {
			below["label"] = labels
		}
		if got, want := len(block.Labels), labelled(f.of); got != want {
			return nil, fmt.Errorf("%s: block %s has %d labels, not %d", block.TypeRange, block.Type, got, want)
		}
		all, _ := into[block.Type].([]tree)
		into[block.Type] = append(all, below)
	}
	return into, nil
}

// field is an attribute or a block that a type has.
type field struct {
	kind string // "block", "label", "optional", or ""
	of   reflect.Type
}

// fields is nil for a type that takes any attribute.
func fields(t reflect.Type) map[string]field {
	if t.Kind() != reflect.Struct {
		return nil
	}
	all := map[string]field{}
	for f := range t.Fields() {
		if f.Anonymous {
			maps.Copy(all, fields(f.Type))
		}
		if name, kind, tagged := strings.Cut(f.Tag.Get("hcl"), ","); tagged || name != "" {
			all[name] = field{kind: kind, of: element(f.Type, kind == "block")}
		}
	}
	return all
}

// element leaves out pointers, and the array around blocks.
func element(t reflect.Type, block bool) reflect.Type {
	for t.Kind() == reflect.Pointer || block && t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

func labelled(t reflect.Type) (labels int) {
	for _, f := range fields(t) {
		if f.kind == "label" {
			labels++
		}
	}
	return labels
}

// evaluate gives the value of an attribute. What Nomad fills in on the node stays as it is written.
func evaluate(a *hclsyntax.Attribute, t reflect.Type) (any, error) {
	context := &hcl.EvalContext{Variables: map[string]cty.Value{
		"node": cty.ObjectVal(map[string]cty.Value{"unique": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("${node.unique.name}")})}),
	}}
	value, diags := a.Expr.Value(context)
	if diags.HasErrors() {
		return nil, diags
	}
	text, err := json.Marshal(ctyjson.SimpleJSONValue{Value: value})
	if err != nil {
		return nil, fmt.Errorf("%s: cannot write %s: %w", a.SrcRange, a.Name, err)
	}
	if t == reflect.TypeFor[time.Duration]() {
		var word string
		if err = json.Unmarshal(text, &word); err == nil {
			_, err = time.ParseDuration(word)
		}
	} else if t != nil {
		err = json.Unmarshal(text, reflect.New(t).Interface())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot take %s for %s: %w", a.SrcRange, text, a.Name, err)
	}
	return json.RawMessage(text), nil
}
