package units_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/internal/units"
)

// TestVerify: systemd-analyze has not a word to say about the units.
func TestVerify(t *testing.T) {
	testhost.Need(t, testhost.Program("systemd-analyze"))
	text := sample(t)
	strange := strings.NewReplacer(`"a"]`, `"@%/"]`, `[listen.a]`, `[listen."@%/"]`).Replace(listening(`address = "unix:@x%$"
[supervisor]
name = "a@b_c.d"
control = '/run/brood/a "$%b\.sock'
`))
	for name, c := range map[string]struct {
		text string
		opt  units.Options
	}{
		"every key":        {text: text},
		"every socket":     {text: text, opt: units.Options{Sockets: true}},
		"credentials":      {text: pool, opt: units.Options{Credentials: []string{"a.pem", "%b"}}},
		"one user":         {text: pool, opt: units.Options{Sockets: true}},
		"sockets of slots": {text: listening("address = \"192.0.2.1:80\""), opt: units.Options{Sockets: true}},
		"two users":        {text: pool + "[pool.queue]\ncommand = [\"q\"]\nuser = \"queue\""},
		"limits":           {text: pool + "[pool.app.limits]\nnofile = \"infinity\"\nnproc = 9\nmemlock = \"1G\""},
		"control groups":   {text: pool + "[pool.app.limits]\npids_max = 9"},
		"strange names":    {text: strange, opt: units.Options{Sockets: true}},
	} {
		t.Run(name, func(t *testing.T) {
			verify(t, render(t, load(t, c.text), c.opt))
		})
	}
}

func verify(t *testing.T, made units.Units) {
	t.Helper()
	dir := t.TempDir()
	var units []string
	for _, f := range made.Files {
		text := f.Text
		for i := range 8 { // an instance of each template that the service names
			if name := strings.Replace(f.Name, "@.", "@"+string(rune('1'+i))+".", 1); name != f.Name || i == 0 {
				write(t, filepath.Join(dir, name), text)
				if i == 0 {
					units = append(units, name)
				}
			}
		}
	}
	if said := testhost.Analyze(t, dir, units...); said != "" {
		t.Errorf("%s\n%s", said, made.Files[0].Text)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
