package host_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/handover"
	"github.com/broodctl/brood/supervisor/host"
)

// States that were written once are read for ever, or for as long as docs/upgrade.md says.
func TestStatesOfBefore(t *testing.T) {
	all, err := filepath.Glob("testdata/state/format-*")
	if err != nil || len(all) == 0 {
		t.Fatalf("there are no states, %v", err)
	}
	for _, path := range all {
		p, err := checkState(t, read(t, path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if p.Name != "shop" || len(p.Desired.Pools) != 2 || p.Desired.Pools[1].Spec.Workers == 0 {
			t.Errorf("%s is %+v", path, p)
		}
	}
}

// A state that cannot be gone on from is refused, and says why.
func TestStatesThatAreNone(t *testing.T) {
	good := read(t, "testdata/state/format-1")
	_, document, _ := bytes.Cut(good, []byte("\n"))
	for name, tt := range map[string]struct {
		from, to, reason string
	}{
		"of a version to come":     {`"Least":1`, `"Least":9`, "the versions are too far apart"},
		"of a version long ago":    {`"Format":1`, `"Format":0`, "the versions are too far apart"},
		"without pools":            {`"Pools":[`, `"Ponds":[`, "there is no pool"},
		"with a generation amiss":  {`"Editions":[`, `"Additions":[`, "not described"},
		"with a number for a name": {`"Name":"shop"`, `"Name":7`, "not the state of a supervisor"},
	} {
		text := strings.ReplaceAll(string(document), tt.from, tt.to)
		if text == string(document) {
			t.Fatalf("%s: nothing to spoil", name)
		}
		pieces, err := handover.Seal(raw(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := checkState(t, bytes.Join(pieces, nil)); err == nil || !strings.Contains(err.Error(), tt.reason) {
			t.Errorf("%s: %v, want %s", name, err, tt.reason)
		}
	}
}

func FuzzState(f *testing.F) {
	good, err := os.ReadFile("testdata/state/format-1")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("brood state 2 0\n{}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, err := checkState(t, file); err == nil && (len(p.Desired.Pools) > 1000 || p.From == "\x00") {
			t.Errorf("%+v", p)
		}
	})
}

// raw is a document as it is.
type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func checkState(t *testing.T, file []byte) (host.Preview, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	p, err := host.CheckState(int(f.Fd()))
	return p, err
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
