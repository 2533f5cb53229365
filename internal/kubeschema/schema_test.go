package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// The schema is the one of the types, and the types take the examples.
func TestSchemaIsCurrent(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("schema.json"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("schema.json is not what go run . writes: %v", err)
	}
}

func TestTypesTakeTheExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			var head metav1.TypeMeta
			if err := yaml.Unmarshal(document, &head); err != nil {
				t.Fatal(err)
			}
			object := kinds()[head.APIVersion+"/"+head.Kind]
			if err := yaml.UnmarshalStrict(document, object); err != nil {
				t.Errorf("%s: %s %s: %v", file, head.APIVersion, head.Kind, err)
			}
		}
	}
}
