package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/broodctl/brood/supervisor/plan"
)

// openapi is the part of an OpenAPI document that is compared with the code.
type openapi struct {
	Paths      map[string]map[string]apiMethod `yaml:"paths"`
	Components struct {
		Schemas   map[string]*schema    `yaml:"schemas"`
		Responses map[string]apiMessage `yaml:"responses"`
	} `yaml:"components"`
}

type apiMethod struct {
	Summary     string                `yaml:"summary"`
	Parameters  []apiParameter        `yaml:"parameters"`
	RequestBody *apiMessage           `yaml:"requestBody"`
	Responses   map[string]apiMessage `yaml:"responses"`
}

type apiParameter struct {
	Name string `yaml:"name"`
	In   string `yaml:"in"`
}

type apiMessage struct {
	Ref     string `yaml:"$ref"`
	Content map[string]struct {
		Schema *schema `yaml:"schema"`
	} `yaml:"content"`
}

type schema struct {
	Ref        string             `yaml:"$ref"`
	Type       any                `yaml:"type"`
	Properties map[string]*schema `yaml:"properties"`
	Required   []string           `yaml:"required"`
	Items      *schema            `yaml:"items"`
	AllOf      []*schema          `yaml:"allOf"`
	Additional any                `yaml:"additionalProperties"`
	Enum       []string           `yaml:"enum"`
}

func readOpenAPI(t *testing.T) *openapi {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc openapi
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return &doc
}

// whole is what a reference means, and what all parts of a schema come to together.
func (doc *openapi) whole(t *testing.T, s *schema) *schema {
	t.Helper()
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		named := doc.Components.Schemas[name]
		if named == nil {
			t.Fatalf("there is no schema %s", name)
		}
		return doc.whole(t, named)
	}
	if len(s.AllOf) == 0 {
		return s
	}
	all := &schema{Type: "object", Properties: map[string]*schema{}}
	for _, part := range s.AllOf {
		part = doc.whole(t, part)
		maps.Copy(all.Properties, part.Properties)
		all.Required = append(all.Required, part.Required...)
	}
	return all
}

func testAPI() *api { return &api{} }

// Every path and method that is described is served, and vice versa, with the same parameters.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	doc := readOpenAPI(t)
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for method := range methods {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, rt := range testAPI().routes() {
		name := rt.method + " " + rt.path
		if !described[name] {
			t.Errorf("%s is not described", name)
			continue
		}
		delete(described, name)
		m := doc.Paths[rt.path][strings.ToLower(rt.method)]
		var query, inPath []string
		for _, p := range m.Parameters {
			if p.In == "query" {
				query = append(query, p.Name)
			} else {
				inPath = append(inPath, "{"+p.Name+"}")
			}
		}
		if !slices.Equal(query, rt.query) {
			t.Errorf("%s: described with the parameters %v, served with %v", name, query, rt.query)
		}
		for _, p := range inPath {
			if !strings.Contains(rt.path, p) {
				t.Errorf("%s has no %s", name, p)
			}
		}
		if len(inPath) != strings.Count(rt.path, "{") || m.Summary == "" {
			t.Errorf("%s: its path or its summary is not described", name)
		}
	}
	for name := range described {
		t.Errorf("%s is described and not served", name)
	}
}

// Every answer has the fields of its Go type, of the same types, and vice versa.
func TestOpenAPIHasEveryField(t *testing.T) {
	doc := readOpenAPI(t)
	for _, rt := range testAPI().routes() {
		m := doc.Paths[rt.path][strings.ToLower(rt.method)]
		for status, answer := range m.Responses {
			if status == "default" {
				if answer.Ref != "#/components/responses/Failure" {
					t.Errorf("%s: failures are %q", rt.path, answer.Ref)
				}
				continue
			}
			if len(answer.Content) != 1 {
				t.Errorf("%s %s: %d contents", rt.path, status, len(answer.Content))
			}
			for _, content := range answer.Content {
				doc.compare(t, rt.method+" "+rt.path, content.Schema, reflect.TypeOf(rt.gives))
			}
		}
	}
	for _, content := range doc.Components.Responses["Failure"].Content {
		doc.compare(t, "Failure", content.Schema, reflect.TypeFor[Failure]())
	}
	doc.compare(t, "Plan", doc.Components.Schemas["Plan"], reflect.TypeFor[plan.View]())
	if got, want := doc.Components.Schemas["Code"].Enum, codes(); !slices.Equal(got, want) {
		t.Errorf("codes: described %v, known %v", got, want)
	}
}

// codes are those of code.go, in its order.
func codes() []string {
	var all []string
	for _, c := range []Code{
		CodeBadRequest, CodeUnauthorized, CodeForbidden, CodeReadOnly, CodeNotFound, CodeNoPool, CodeNoSlot, CodeNoFleet, CodeNoOperation, CodeMethod,
		CodeFailed, CodeRollout, CodeReload, CodeUpgrade, CodeAborted, CodeNotRelayed, CodeNotStarted, CodeNothing, CodeNoFile, CodeOvertaken,
		CodeTooLarge, CodeCannotScale, CodeTooMany, CodeInternal, CodeStopping, CodeUpgrading, CodeTimeout,
	} {
		all = append(all, string(c))
	}
	return all
}

// jsonField is a field of a Go type as JSON has it.
type jsonField struct {
	t        reflect.Type
	optional bool
}

func jsonFields(t reflect.Type) map[string]jsonField {
	all := map[string]jsonField{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			maps.Copy(all, jsonFields(f.Type))
		case f.IsExported() && name != "":
			all[name] = jsonField{f.Type, strings.Contains(options, "omit")}
		}
	}
	return all
}

// compare compares a schema with a Go type, and with those in it.
func (doc *openapi) compare(t *testing.T, at string, s *schema, typ reflect.Type) {
	t.Helper()
	s = doc.whole(t, s)
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if got, want := fmt.Sprint(s.Type), jsonType(typ); want != "" && !strings.Contains(got, want) {
		t.Errorf("%s: described as %s, and it is %s", at, got, want)
		return
	}
	switch {
	case typ == reflect.TypeFor[time.Time](), typ == reflect.TypeFor[json.RawMessage]():
	case typ.Kind() == reflect.Slice:
		doc.compare(t, at+"[]", s.Items, typ.Elem())
	case typ.Kind() == reflect.Struct:
		have := jsonFields(typ)
		for name, f := range have {
			p := s.Properties[name]
			if p == nil {
				t.Errorf("%s: docs/openapi.yaml lacks %s of %s", at, name, typ)
				continue
			}
			if slices.Contains(s.Required, name) == f.optional {
				t.Errorf("%s: %s is optional: %v; docs/openapi.yaml says otherwise", at, name, f.optional)
			}
			doc.compare(t, at+"."+name, p, f.t)
		}
		for name := range s.Properties {
			if _, ok := have[name]; !ok {
				t.Errorf("%s: docs/openapi.yaml has %s, which %s has not", at, name, typ)
			}
		}
	}
}

// jsonType is the type in JSON of a Go type; "" if it may be any.
func jsonType(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "string"
	case t == reflect.TypeFor[json.RawMessage]():
		return "object"
	}
	switch t.Kind() { //nolint:exhaustive // the API has these alone
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.Int, reflect.Uint64:
		return "integer"
	}
	return ""
}

// A request takes the fields that are described for it, and no other one of Body.
func TestOpenAPIBodies(t *testing.T) {
	doc := readOpenAPI(t)
	samples := map[string]Body{
		"pool": {Pool: "web"}, "slot": {Slot: new(1)}, "workers": {Workers: 2}, "delta": {Delta: 1}, "signal": {Signal: "HUP"},
		"force": {Force: true}, "abort": {Abort: true}, "program": {Program: "/usr/bin/brood"}, "fleet": {Fleet: "web"}, "reason": {Reason: "why"}, "wait_seconds": {Wait: 1},
	}
	for name := range jsonFields(reflect.TypeFor[Body]()) {
		if _, ok := samples[name]; !ok {
			t.Errorf("no sample of %s", name)
		}
	}
	for _, req := range requests() {
		m := doc.Paths[PathVerb+string(req.verb)]["post"]
		if m.RequestBody == nil {
			t.Errorf("%s has no body", req.verb)
			continue
		}
		s := m.RequestBody.Content["application/json"].Schema
		if s.Additional != false {
			t.Errorf("%s: other fields are refused, and docs/openapi.yaml does not say so", req.verb)
		}
		for name, sample := range samples {
			_, described := s.Properties[name]
			err := req.check(sample)
			foreign := err != nil && strings.Contains(err.Error(), "belong")
			if described == foreign {
				t.Errorf("%s: %s is described: %v; the server says: %v", req.verb, name, described, err)
			}
		}
		for _, name := range s.Required {
			full := samples["pool"]
			full.Slot, full.Signal = new(1), "HUP"
			if !req.signal {
				full.Signal = ""
			}
			switch name {
			case "pool":
				full.Pool = ""
			case "slot":
				full.Slot = nil
			case "signal":
				full.Signal = ""
			}
			if req.check(full) == nil {
				t.Errorf("%s: %s is described as required, and the server does without", req.verb, name)
			}
		}
	}
}
