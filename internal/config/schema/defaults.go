package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/pelletier/go-toml/v2"

	"github.com/broodctl/brood/internal/config"
)

// sampleName is the name of a pool and a listener about which nothing is said that could be left out.
const sampleName = "x"

// dependent are the keys whose default is another one where other keys say so: an editor must not promise it.
func dependent() []string {
	return []string{"settle", "order", "max_unavailable", "max_backoff", "ready_timeout"}
}

// said are the keys that the sample has to say.
func said() []string { return []string{"listen", "http", "max_requests", "url", "file", "etcd"} }

// addDefaults asks config for the defaults, and puts them into the schema.
func addDefaults(s *jsonschema.Schema) error {
	// autoscale and log files have their defaults with the first
	for _, file := range []string{"/x", ""} {
		if err := addDefaultsOf(s, file); err != nil {
			return err
		}
	}
	return nil
}

func addDefaultsOf(s *jsonschema.Schema, file string) error {
	var workers *config.Workers
	if file != "" {
		workers = &config.Workers{Max: "2"}
	}
	text, err := config.Encode(config.Complete(&config.File{
		Listen: map[string]config.ListenTable{sampleName: {Address: ":8080"}},
		Pool: map[string]config.PoolTable{sampleName: {
			Command: []string{"server"}, Workers: workers, Listen: []string{sampleName},
			Liveness: config.ProbeTable{HTTP: "/"}, Recycle: config.RecycleTable{MaxRequests: 1}, Log: config.LogTable{File: file},
		}},
		OnEvent:      map[string]config.HookTable{sampleName: {URL: "https://example.org"}},
		Coordination: config.CoordinationTable{Group: sampleName, Etcd: []string{"https://etcd1:2379"}},
	}))
	if err != nil {
		return fmt.Errorf("cannot encode defaults: %w", err)
	}
	var full map[string]any
	if err := toml.Unmarshal(text, &full); err != nil {
		return fmt.Errorf("cannot decode defaults: %w", err)
	}
	return addValues(s, s, full)
}

func addValues(root, table *jsonschema.Schema, values map[string]any) error {
	table = follow(root, table)
	for key, value := range values {
		property, ok := table.Properties.Get(key)
		if !ok {
			return fmt.Errorf("cannot note the default of %s: there is no such key", key)
		}
		inner, isTable := value.(map[string]any)
		isTable = isTable && key != "workers"
		switch {
		case isTable && property.PatternProperties != nil:
			for _, named := range property.PatternProperties {
				if err := addValues(root, named, inner[sampleName].(map[string]any)); err != nil {
					return err
				}
			}
		case isTable:
			if err := addValues(root, property, inner); err != nil {
				return err
			}
		case slices.Contains(said(), key) || slices.Contains(table.Required, key) || slices.Contains(dependent(), key):
		default:
			property.Default = written(property, value)
		}
	}
	return nil
}

// follow returns what a schema refers to.
func follow(root, s *jsonschema.Schema) *jsonschema.Schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Definitions[name]
	}
	return s
}

// written is a value as people write it: a number where a number or a string may stand.
func written(property *jsonschema.Schema, value any) any {
	text, ok := value.(string)
	if n, err := strconv.Atoi(text); ok && err == nil && property.AnyOf != nil {
		return n
	}
	return value
}
