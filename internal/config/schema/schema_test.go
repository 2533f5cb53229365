package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	"github.com/pelletier/go-toml/v2"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/broodctl/brood/internal/config"
)

const samples = "../testdata/valid"

func TestSchemaIsCurrent(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("docs/brood.schema.json is old: run go generate ./internal/config/...\n%s", diff)
	}
}

func compile(t testing.TB) *validator.Schema {
	t.Helper()
	text, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("brood.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("brood.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func values(t testing.TB, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := toml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// world has the files beside the samples, and whatever credentials they name.
func world() config.World {
	const credentials = "/run/credentials/brood.service"
	return config.World{
		CPUs:   4,
		Getenv: func(name string) string { return map[string]string{"CREDENTIALS_DIRECTORY": credentials}[name] },
		ReadFile: func(name string) ([]byte, error) {
			if dir := filepath.Dir(name); dir == credentials || dir == "/etc/shop" && filepath.Ext(name) != ".env" {
				return []byte("s3cret\n"), nil
			}
			return os.ReadFile(name)
		},
	}
}

// load reads a text as if it lay among the samples.
func load(text string) error {
	f, err := config.Parse(filepath.Join(samples, "brood.toml"), []byte(text))
	if err != nil {
		return err
	}
	_, err = config.FromFile(f, world())
	return err
}

func TestValidSamples(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(samples, "*.toml"))
	if err != nil || len(paths) < 8 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	schema := compile(t)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if err := schema.Validate(values(t, read(t, path))); err != nil {
				t.Error(err)
			}
			if _, err := config.Load(path, world()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryKeyHasEveryKey(t *testing.T) {
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true, FieldNameTag: "toml", Mapper: valueSchema}
	root := r.Reflect(config.File{})
	have := map[*jsonschema.Schema]map[string]bool{} // the keys that are said of a kind of table, wherever it stands
	var walk func(table *jsonschema.Schema, values map[string]any)
	walk = func(table *jsonschema.Schema, values map[string]any) {
		if have[table] == nil {
			have[table] = map[string]bool{}
		}
		for key, value := range values {
			have[table][key] = true
			property, _ := table.Properties.Get(key)
			inner, isTable := value.(map[string]any)
			switch {
			case !isTable:
			case property.Ref != "":
				walk(follow(root, property), inner)
			case property.AdditionalProperties != nil && property.AdditionalProperties.Ref != "": // tables with names
				for _, named := range inner {
					walk(follow(root, property.AdditionalProperties), named.(map[string]any))
				}
			}
		}
	}
	for _, sample := range []string{"every-key.toml", "places.toml"} { // the second one has what does not go together with the first
		walk(root, values(t, read(t, filepath.Join(samples, sample))))
	}
	tables := maps.Clone(map[string]*jsonschema.Schema(root.Definitions))
	tables["File"] = root
	for name, table := range tables {
		for key := range table.Properties.KeysFromOldest() {
			if !have[table][key] {
				t.Errorf("the samples lack %s of %s", key, name)
			}
		}
	}
}

// TestWordsAreTheSame has words of each form, and asks both the schema and config about them.
func TestWordsAreTheSame(t *testing.T) {
	schema := compile(t)
	for _, tt := range wordTests() {
		for _, word := range append(slices.Clone(tt.good), tt.bad...) {
			text := strings.ReplaceAll(tt.text, "WORD", word)
			good := slices.Contains(tt.good, word)
			if err := load(text); (err == nil) != good {
				t.Errorf("config on %s: %v", text, err)
			}
			if err := schema.Validate(values(t, text)); (err == nil) != good {
				t.Errorf("the schema on %s: %v", text, err)
			}
		}
	}
}

func TestSignalNames(t *testing.T) {
	for _, name := range signalNames() {
		if _, err := config.ParseSignal(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteSaysWhatIsWrong(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := write(); err == nil || !strings.Contains(err.Error(), "cannot") {
		t.Errorf("%v", err)
	} else if _, err := os.Stat(schemaPath); err == nil {
		t.Error("something was written")
	}
}
