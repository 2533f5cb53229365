package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/broodctl/brood/internal/config"
)

// generate returns the schema as text.
func generate() ([]byte, error) {
	r := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, FieldNameTag: "toml",
		Mapper: valueSchema,
	}
	// The path of this package, joined with configDir, is that of config.
	here := reflect.TypeFor[config.File]().PkgPath() + "/schema"
	if err := r.AddGoComments(here, configDir); err != nil {
		return nil, fmt.Errorf("cannot read comments: %w", err)
	}
	s := r.Reflect(config.File{})
	s.Title = "Configuration of brood"
	s.Description = "Pools of workers, and the sockets they share; see brood(1)."
	tables := maps.Clone(map[string]*jsonschema.Schema(s.Definitions))
	tables["File"] = s
	if err := refine(tables); err != nil {
		return nil, err
	}
	if err := addDefaults(s); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // patterns have < and >
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("cannot encode schema: %w", err)
	}
	return unescaped(out.Bytes())
}

// unescaped undoes the escapes that the MarshalJSON methods of the library have put in.
func unescaped(text []byte) ([]byte, error) {
	for escape, sign := range map[string]string{`\u003c`: "<", `\u003e`: ">", `\u0026`: "&"} {
		text = bytes.ReplaceAll(text, []byte(escape), []byte(sign))
	}
	if !json.Valid(text) {
		return nil, errors.New("cannot encode schema: it is no JSON")
	}
	return text, nil
}

// refine puts into the tables what their Go types do not say.
func refine(tables map[string]*jsonschema.Schema) error {
	for name, change := range keys() {
		table, key, _ := strings.Cut(name, ".")
		t, ok := tables[table]
		if !ok {
			return fmt.Errorf("cannot refine %s: there is no such table", name)
		}
		property, ok := t.Properties.Get(key)
		if !ok {
			return fmt.Errorf("cannot refine %s: there is no such key", name)
		}
		change(property)
	}
	for name, words := range descriptions() {
		table, key, _ := strings.Cut(name, ".")
		property, ok := tables[table].Properties.Get(key)
		if !ok {
			return fmt.Errorf("cannot describe %s: there is no such key", name)
		}
		property.Description = words
	}
	for name, t := range tables {
		t.Description = strings.TrimPrefix(t.Description, name+" is ")
		for key, property := range t.Properties.FromOldest() {
			property.Description = strings.Join(strings.Fields(property.Description), " ")
			if property.Type == "string" && property.Pattern == "" && property.Enum == nil {
				property.MinLength = new(uint64(1)) // an empty word is refused: who means the default leaves it out
			}
			if property.Description == "" {
				return fmt.Errorf("cannot describe %s.%s: it has no comment", name, key)
			}
		}
	}
	return nil
}
