package worker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/broodctl/brood/worker"
)

// problems are what NewRecipe joins.
func problems(t *testing.T, err error) []error {
	t.Helper()
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	var all []error
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		if errors.As(e, &joined) {
			all = append(all, joined.Unwrap()...)
		} else if !errors.Is(e, worker.ErrRecipe) {
			all = append(all, e)
		}
	}
	return all
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := worker.NewRecipe(worker.RecipeConfig{
		Argv: []string{"x", "{{.Port.htp}}", "{{.Wrokers}}{{if false}}{{.Slto}}{{end}}", "{{.Slot"},
		Env: []worker.Var{
			{"PORT", "{{.FD.own}}"},
			{"A", "{{$.Addr.nope}}"},
			{"B", `{{index .Addr "nope"}}`},
			{"C", "{{prinft .Slot}}"},
			{"BROOD_SLOT", "1"},
			{"TWICE", "{{.Bad}}"},
			{"TWICE", "good"},
		},
		Dir: "/{{.Port.dns.x}}", User: "app{{.Slott}}", Group: "{{range .FD}}{{.}}{{end}}",
		WorkerIDEnv: []string{"LISTEN_PID"}, FDsEnv: []string{"ID", "ID"},
	}, sampleFacts())
	fields := []string{"Addr", "FD", "Fence", "Generation", "Pool", "Port", "Slot", "WorkerID", "Workers"}
	functions := []string{"and", "eq", "ge", "gt", "index", "le", "len", "lt", "ne", "not", "or", "print", "printf", "slice"}
	unknown := func(what, name string, known ...string) error {
		return &worker.UnknownNameError{What: what, Name: name, Known: known}
	}
	want := []worker.FieldError{
		{Field: "command", Index: 3},
		{Field: "worker_id_env", Name: "LISTEN_PID"},
		{Field: "fds_env", Index: 1, Name: "ID"},
		{Field: "env", Index: 4, Name: "BROOD_SLOT"},
		{Field: "command", Index: 1, Err: unknown("listener with a port", "htp", "dns", "http", "own")},
		{Field: "command", Index: 2, Err: unknown("value", "Wrokers", fields...)},
		{Field: "command", Index: 2, Err: unknown("value", "Slto", fields...)},
		{Field: "dir"},
		{Field: "user", Err: unknown("value", "Slott", fields...)},
		{Field: "group"},
		{Field: "env", Name: "PORT", Err: unknown("listener with a descriptor", "own", "dns", "http", "my-sock")},
		{Field: "env", Index: 1, Name: "A", Err: unknown("listener", "nope", "dns", "http", "my-sock", "own")},
		{Field: "env", Index: 2, Name: "B", Err: unknown("listener", "nope", "dns", "http", "my-sock", "own")},
		{Field: "env", Index: 3, Name: "C", Err: unknown("function", "prinft", functions...)},
	}
	var got []worker.FieldError
	for _, e := range problems(t, err) {
		var field *worker.FieldError
		var name *worker.UnknownNameError
		if !errors.As(e, &field) {
			t.Fatalf("%T: %v", e, e)
		}
		one := *field
		if one.Err = nil; errors.As(e, &name) {
			one.Err = name
		}
		got = append(got, one)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\n%v", diff, err)
	}
}

func TestTemplateMessages(t *testing.T) {
	tests := []struct{ template, want string }{
		{"{{.Slot", "argument 1: unclosed action"},
		{"{{.Pool.x}}", "argument 1: at <.Pool.x>: can't evaluate field x in type string"},
		{"{{.Addr.htp}}", `argument 1: there is no listener "htp", only dns, http, my-sock, own`},
		{"{{with .Slot}}{{.}}{{end}}", "argument 1: {{with}} is not for templates of commands, only values, functions, variables and {{if}}"},
		{`{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`, "argument 1: {{define}} is not for templates of commands, only values, functions, variables and {{if}}"},
		{`{{range 1000000000}}{{end}}`, "argument 1: {{range}} is not for templates of commands, only values, functions, variables and {{if}}"},
		{`{{printf "%9999d" .Slot}}`, `argument 1: at <printf "%9999d" .Slot>: error calling printf: "%9999d" has a width of more than 999`},
		{`{{printf "%*d" 9 .Slot}}`, `argument 1: at <printf "%*d" 9 .Slot>: error calling printf: "%*d" takes its width from an argument`},
		{`{{$a := "xxxxxxxx"}}` + strings.Repeat(`{{$a = print $a $a}}`, 30), "argument 1: it is longer than 131072 bytes"},
		{strings.Repeat(`{{printf "%999d" 1}}`, 200), "argument 1: it is longer than 131072 bytes"},
		{"{{.Slot}}" + strings.Repeat("x", 128<<10), "argument 1: it is longer than 131072 bytes"},
		{"\x00", "argument 1: it contains a NUL byte"},
	}
	for _, tt := range tests {
		_, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{"x", tt.template}}, sampleFacts())
		all := problems(t, err)
		if len(all) == 0 || all[0].Error() != tt.want {
			t.Errorf("%.40s: got %v, want %s", tt.template, err, tt.want)
		}
	}
}

func TestTemplatesThatWork(t *testing.T) {
	tests := []struct{ template, want string }{
		{`{{printf "%03d of 10000 %s" .Slot .Pool}}`, "002 of 10000 web"},
		{`{{if eq .Slot 2}}two{{else if lt .Slot 9}}{{.Slot}}{{else}}many{{end}}`, "two"},
		{`{{$p := .Port.http}}{{$p}}:{{$p}}`, "8080:8080"},
		{`{{$.Pool}}{{/* why */}}`, "web"},
		{`{{print .Slot "-" .Pool | printf "<%s>"}}`, "<2-web>"},
		{`{{slice .Pool 0 2}}{{len .Pool}}{{"{{"}}`, "we3{{"},
		{`{{index .Port "http"}}`, "8080"},
	}
	for _, tt := range tests {
		r, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{"x", tt.template}}, sampleFacts())
		if err != nil {
			t.Error(err)
			continue
		}
		made, err := r.Build(sampleFacts())
		if err != nil || made.Argv[1] != tt.want {
			t.Errorf("%s: got %q, %v", tt.template, made.Argv, err)
		}
	}
}

// FuzzTemplate: a template ends, its text is bounded, and what is accepted for one
// worker is filled in for another.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"{{.Slot}}", "{{.FD.http}}", `{{index .Addr "my-sock"}}`, `{{printf "%05d%[1]q" .WorkerID}}`,
		"{{if and .Slot (not .Pool)}}{{else}}{{end}}", "{{$x := .Port}}{{$x.http}}", "{{range 9}}{{end}}", "{{define `a`}}{{end}}",
		"{{block `a` .}}{{end}}", "{{with .FD}}{{.http}}{{end}}", "{{/**/}}", "{{- .Pool -}}", "{{(.FD).http}}", "{{print .}}{{slice .Pool 1}}",
		"{{nil}}", "{{. | len}}", "{{break}}", "{{$ := 1}}{{$.Slot}}", "{{1 | .Slot}}", "{{.Slot.Slot.Slot}}", "{{print print}}", "{{printf `%v` .FD}}",
	} {
		f.Add(seed)
	}
	other := sampleFacts()
	other.Slot, other.WorkerID, other.Generation = 3, 1008, 1<<63
	f.Fuzz(func(t *testing.T, source string) {
		cfg := worker.RecipeConfig{Argv: []string{"x", source}, Env: []worker.Var{{"A", source}}, Dir: source}
		r, err := worker.NewRecipe(cfg, sampleFacts())
		if err != nil {
			for _, e := range problems(t, err) {
				var field *worker.FieldError
				if !errors.As(e, &field) || field.Err == nil {
					t.Fatalf("%T: %v", e, e)
				}
			}
			return
		}
		made, err := r.Build(other)
		if err == nil && strings.Contains(source, "{{") && len(made.Argv[1]) > 128<<10 {
			t.Fatalf("%d bytes", len(made.Argv[1]))
		}
	})
}
