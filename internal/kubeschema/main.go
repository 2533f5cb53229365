// Command kubeschema writes the JSON Schema of the objects in examples/kubernetes and examples/fleet, from the types of
// Kubernetes' own API: which fields there are, of what type, and which have to be there. A test of the examples reads what it
// wrote. It is a module of its own and no part of make test, because those types take a minute to compile:
//
//	go -C internal/kubeschema run . > internal/kubeschema/schema.json
//	go -C internal/kubeschema test .
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func main() {
	text, err := generate()
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// kinds are those that the examples have, by apiVersion/kind.
func kinds() map[string]any {
	return map[string]any{
		"apps/v1/Deployment": &appsv1.Deployment{}, "apps/v1/StatefulSet": &appsv1.StatefulSet{}, "apps/v1/DaemonSet": &appsv1.DaemonSet{},
		"v1/Service": &corev1.Service{}, "v1/ConfigMap": &corev1.ConfigMap{},
	}
}

// schema is one of JSON Schema, or a part of it.
type schema map[string]any

func generate() ([]byte, error) {
	g := &generator{defs: schema{}}
	top := schema{}
	for kind, object := range kinds() {
		top[kind] = g.of(reflect.TypeOf(object))
	}
	text, err := json.MarshalIndent(schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": top, "$defs": g.defs,
	}, "", " ")
	return append(text, '\n'), err
}

// generator collects the structures that it meets.
type generator struct{ defs schema }

func (g *generator) of(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime](), reflect.TypeFor[metav1.Duration]():
		return schema{"type": "string"}
	case reflect.TypeFor[resource.Quantity]():
		return schema{"type": []string{"string", "number"}, "pattern": `^[+-]?[0-9]+(\.[0-9]*)?(m|[numkKMGTPE]i?|[eE][+-]?[0-9]+)?$`}
	case reflect.TypeFor[intstr.IntOrString]():
		return schema{"type": []string{"string", "integer"}}
	case reflect.TypeFor[metav1.FieldsV1]():
		return schema{"type": "object"}
	case reflect.TypeFor[[]byte]():
		return schema{"type": "string", "contentEncoding": "base64"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.Slice:
		return schema{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int32:
		return schema{"type": "integer", "minimum": -1 << 31, "maximum": 1<<31 - 1}
	case reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Struct:
		return g.structure(t)
	default:
		panic(fmt.Sprintf("kubeschema: no schema for %s", t))
	}
}

func (g *generator) structure(t reflect.Type) schema {
	name := path.Base(path.Dir(t.PkgPath())) + "." + t.Name()
	if _, known := g.defs[name]; !known {
		properties, required := schema{}, []string{}
		g.defs[name] = schema{} // for one that contains itself
		g.fields(t, properties, &required)
		def := schema{"type": "object", "additionalProperties": false, "properties": properties}
		if len(required) > 0 {
			def["required"] = required
		}
		g.defs[name] = def
	}
	return schema{"$ref": "#/$defs/" + name}
}

func (g *generator) fields(t reflect.Type, into schema, required *[]string) {
	for field := range t.Fields() {
		words := strings.Split(field.Tag.Get("json"), ",")
		switch {
		case words[0] == "-":
		case field.Anonymous && words[0] == "":
			g.fields(field.Type, into, required)
		default:
			into[words[0]] = g.of(field.Type)
			if len(words) == 1 {
				*required = append(*required, words[0])
			}
		}
	}
}
