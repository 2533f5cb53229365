package redact

import (
	"slices"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"pg_isready -q -h db":       "pg_isready -q -h db",
		"server --port 80":          "server --port 80",
		"PGPASSWORD=geheim psql -l": "PGPASSWORD=*** psql -l",
		"TOKEN='a geheim'geheim x":  "TOKEN=*** x",
		`TOKEN="a \"geheim\"" x`:    `TOKEN=*** x`,
		`TOKEN=a\ geheim x`:         `TOKEN=*** x`,
		"A_KEY=geheim; run":         "A_KEY=***; run",
		"migrate --token geheim && run --key=geheim":          "migrate --token *** && run --key=***",
		"--password geheim":                                   "--password ***",
		`x --db-password "geheim geheim" y`:                   "x --db-password *** y",
		"serve --auth --port 80":                              "serve --auth --port 80",
		"postgres://me:geheim@db/x":                           "postgres://***@db/x",
		"postgres://me:ge@heim@db/x":                          "postgres://***@db/x",
		"curl -u me:geheim http://host/":                      "curl -u *** http://host/",
		`curl --user "me:geheim" host`:                        `curl --user "***" host`,
		`curl -H "Authorization: Bearer geheim" host`:         `curl -H "Authorization: ***" host`,
		`curl -H "Authorization: Token geheim" host`:          `curl -H "Authorization: ***" host`,
		`curl -H 'Cookie: a=geheim; b=geheim' host`:           `curl -H 'Cookie: ***' host`,
		`{"password": "geheim", "port": 80}`:                  `{"password": *** "port": 80}`,
		`echo "{\"password\": \"geheim\"}" x`:                 `echo "{\"password\": ***" x`,
		"http://host/?token=geheim&port=80":                   "http://host/?token=***&port=80",
		"command \"TOKEN=geheim psql\" fails: exit status 2:": "command \"TOKEN=*** psql\" fails: exit status 2:",
	} {
		if got := Text(text); got != want {
			t.Errorf("%s\nis shown as %s\nnot as      %s", text, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct{ words, want []string }{
		{nil, nil},
		{[]string{"server", "--port", "80"}, []string{"server", "--port", "80"}},
		{[]string{"server", "--password=ge&h;e\"i'm x"}, []string{"server", "--password=***"}},
		{[]string{"server", "--set", "db.password=ge&heim"}, []string{"server", "--set", "db.password=***"}},
		{[]string{"server", "--api-key", "geheim", "--auth", "--port"}, []string{"server", "--api-key", "***", "--auth", "--port"}},
		{[]string{"env", "TOKEN=ge;heim", "server"}, []string{"env", "TOKEN=***", "server"}},
		{[]string{"curl", "-u", "me:geheim"}, []string{"curl", "-u", "***"}},
		{[]string{"curl", "-H", "Authorization: Token geheim"}, []string{"curl", "-H", "Authorization: ***"}},
		{[]string{"sh", "-c", "TOKEN=geheim; run"}, []string{"sh", "-c", "TOKEN=***; run"}},
		{[]string{"postgres://me:geheim@db/x?sslmode=off"}, []string{"postgres://***@db/x?sslmode=off"}},
	} {
		if got := Words(tt.words); !slices.Equal(got, tt.want) {
			t.Errorf("%q is shown as %q, not as %q", tt.words, got, tt.want)
		}
	}
}

// Whatever a secret is made of, nothing of it is left where its place is known, and what has been left out stays out.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{"geheim", "ge heim", `a"b'c`, "a&b;c", "a@b", `\`, "-x", "\n", "***"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		for _, flag := range []string{"--password=", "-api_key="} {
			if got := Words([]string{"server", flag + secret})[1]; secret != "" && got != flag+Hidden {
				t.Errorf("%s%s is shown as %s", flag, secret, got)
			}
		}
		if !strings.ContainsAny(secret, "'") {
			if got, want := Text("run --token '"+secret+"' x"), "run --token *** x"; got != want {
				t.Errorf("%s, not %s", got, want)
			}
		}
	})
}
