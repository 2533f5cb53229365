package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/redact"
)

func TestDocumentHasNoSecrets(t *testing.T) {
	f, err := Parse("brood.toml", []byte(`
[pool.web]
command = ["server", "--password=geheim1", "--api-key", "geheim2", "-H", "Authorization: Bearer geheim3", "postgres://me:geheim4@db/x", "--port", "80"]
pre_start = ["migrate --token geheim5 && TOKEN='geheim6' run", "x --db-password \"geheim7 geheim8\""]
requires = ["tcp://db:5432", "exec:PGPASSWORD=geheim9 psql"]
ready = "exec:check --secret=geheim10"
[pool.web.env]
PASSWORD = "geheim11"
PLAIN = "geheim12"
PORT = "{{.Port.http}}"
MIXED = "geheim13-{{.Slot}}"
[pool.web.credentials]
KEY = "tls.pem"
[pool.web.liveness]
http = "/livez?token=geheim14"
headers = {Authorization = "Bearer geheim15", X-Slot = "{{.Slot}}"}
[pool.web.readiness]
exec = "curl -u a:b https://u:geheim16@host/"
[on_event.ops]
url = "https://hooks.example.org/geheim17"
headers = {Authorization = "geheim18"}
`))
	if err != nil {
		t.Fatal(err)
	}
	before, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Document(f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "geheim") {
		t.Errorf("%s", text)
	}
	var got struct {
		Pool map[string]struct {
			Command     []string
			Requires    []string
			Env         map[string]string
			Credentials map[string]string
			Liveness    struct{ Headers map[string]string }
			Stop        struct{ Grace string }
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	web := got.Pool["web"]
	if web.Env["PORT"] != "{{.Port.http}}" || web.Env["PLAIN"] != redact.Hidden || web.Liveness.Headers["X-Slot"] != "{{.Slot}}" {
		t.Errorf("templates: %+v", web)
	}
	if strings.Join(web.Command, " ") != "server --password=*** --api-key *** -H Authorization: *** postgres://***@db/x --port 80" {
		t.Errorf("command: %v", web.Command)
	}
	if web.Requires[0] != "tcp://db:5432" || web.Credentials["KEY"] != "tls.pem" || web.Stop.Grace != "30s" {
		t.Errorf("%+v", web)
	}
	if after, err := Encode(f); err != nil || string(after) != string(before) {
		t.Errorf("the file itself was changed: %v", err)
	}
}

func FuzzDocument(f *testing.F) {
	for _, s := range []string{"a", "{{.Slot}}", "--token=x", "a b=c", "http://u:p@h", "", "\x00", "ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file := &File{Pool: map[string]PoolTable{"web": {
			Command: []string{"server", s, "--password", "geheim", s}, PreStart: []string{s + " --password=geheim"},
			Env: map[string]string{"A": s, "B": "geheim"},
		}}}
		text, err := Document(file)
		if err != nil {
			return // not UTF-8
		}
		if !json.Valid(text) {
			t.Errorf("no JSON: %s", text)
		}
		if strings.Count(string(text), "geheim") > 4*strings.Count(s, "geheim") {
			t.Errorf("%s", text)
		}
	})
}
