package worker_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/worker"
)

// A recipe through JSON has the bytes that it had: the environment need not be UTF-8.
func TestRecipeThroughJSON(t *testing.T) {
	for _, c := range []worker.RecipeConfig{
		{},
		{Argv: []string{}, User: "web", Groups: []string{"a"}, Direct: true, FDsEnv: []string{"FDS"}},
		{
			Argv: []string{"caf\xe9", "\x00", "ü"}, Dir: "/srv/\xff", InheritEnv: []string{"LATIN=\xe4", "A=b"},
			Env: []worker.Var{{Name: "N\xfe", Value: "\xc3\x28"}, {Name: "M", Value: "{{.Slot}}"}},
		},
	} {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again worker.RecipeConfig
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("%s (- before, + after):\n%s", text, diff)
		}
	}
}
