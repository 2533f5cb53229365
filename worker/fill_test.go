package worker_test

import (
	"errors"
	"testing"

	"github.com/broodctl/brood/worker"
)

func fillFacts(slot int) worker.Facts {
	return worker.Facts{Slot: slot, Listeners: []worker.ListenerFact{{Name: "http", FD: -1, Port: 9000 + slot, Addr: "127.0.0.1:9000"}}}
}

func TestTemplate(t *testing.T) {
	for source, want := range map[string]string{
		"127.0.0.1:9000":                "127.0.0.1:9000",
		":{{.Port.http}}":               ":9003",
		"unix:/run/{{.Slot}}.sock":      "unix:/run/3.sock",
		"{{if .Slot}}a{{else}}b{{end}}": "a",
	} {
		tpl, err := worker.NewTemplate("address", source, fillFacts(0))
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := tpl.Fill(fillFacts(3)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", source, got, err, want)
		}
	}
}

func TestTemplateThatNamesNothing(t *testing.T) {
	for _, source := range []string{":{{.Port.htp}}", "{{.Nothing}}", "{{.FD.http}}", "{{", "a\x00", `{{printf "%9999d" 1}}`} {
		_, err := worker.NewTemplate("address", source, fillFacts(0))
		field, ok := errors.AsType[*worker.FieldError](err)
		if !ok || field.Field != "address" {
			t.Errorf("%q: %v", source, err)
		}
	}
	_, err := worker.NewTemplate("address", ":{{.Port.htp}}", fillFacts(0))
	if unknown, ok := errors.AsType[*worker.UnknownNameError](err); !ok || unknown.Name != "htp" || len(unknown.Known) != 1 {
		t.Errorf("%v", err)
	}
}
