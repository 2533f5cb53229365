package config

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
)

type envFileTest struct {
	name, text string
	want       []worker.Var
	// otherwise says why systemd reads the text in another way; empty if it does not.
	otherwise string
}

const (
	// The program of systemd that shows what its parser returns reads another kind of file with it.
	noOracle    = "environment.d(5) expands $ and refuses empty values"
	onlyTheKeys = "environment.d(5) takes only names that a shell knows, without export"
)

var envFileTests = []envFileTest{
	{name: "plain", text: "A=1\nB_2=two\n", want: vars("A", "1", "B_2", "two")},
	{name: "no newline at the end", text: "A=1", want: vars("A", "1")},
	{name: "nothing", text: ""},
	{name: "comments and empty lines", text: "# c=1\n\n  ; d=2\n \t\nA=1\n", want: vars("A", "1")},
	{name: "a comment does not go on", text: "# c \\\nA=1\n", want: vars("A", "1"), otherwise: "before version 254 it did"},
	{name: "separators", text: "API_KEYS=key1:tenant_a:predict,read_models;key2:b,admin\n", want: vars("API_KEYS", "key1:tenant_a:predict,read_models;key2:b,admin")},
	{name: "empty values", text: "A=\nB=  \nC=''\nD=\"\" \n", want: vars("A", "", "B", "", "C", "", "D", ""), otherwise: noOracle},
	{name: "nothing is expanded", text: "A=$HOME ${B} $(date) `id` ~ *\nB=\"$A\"\n", want: vars("A", "$HOME ${B} $(date) `id` ~ *", "B", "$A"), otherwise: noOracle},
	{name: "templates are text", text: "A={{.Slot}}\n", want: vars("A", "{{.Slot}}")},
	{name: "= in a value", text: "URL=postgresql://u:p@h/db?a=b\nB==\n", want: vars("URL", "postgresql://u:p@h/db?a=b", "B", "=")},
	{name: "spaces around", text: " A = 1 \t\n", want: vars("A", "1")},
	{name: "spaces inside", text: "A=a  b\tc \n", want: vars("A", "a  b\tc")},
	{name: "a sign of comment inside", text: "A=x # y\nB=#z\n", want: vars("A", "x # y", "B", "#z")},
	{name: "quotes inside", text: "A=it's \"so\"\n", want: vars("A", `it's "so"`)},
	{name: "escapes", text: `A=a\\b\'c\d` + "\n", want: vars("A", `a\b'cd`)},
	{name: "an escaped space at the end", text: "A=a\\ \nB=\\ b\n", want: vars("A", "a ", "B", " b")},
	{name: "continuation", text: "A=a \\\n b\\\n\nB=\\\n", want: vars("A", "a  b", "B", ""), otherwise: noOracle},
	{name: "single quotes", text: "A='a \\ \"b\" # c'\t\nB=' x '\n", want: vars("A", `a \ "b" # c`, "B", " x ")},
	{name: "double quotes", text: `A="a \"b\" \\ \n 'c' # d"` + "\n", want: vars("A", `a "b" \ \n 'c' # d`)},
	{name: "escapes of a shell", text: `A="\$HOME \` + "`id\\`\"\n", want: vars("A", "$HOME `id`"), otherwise: noOracle},
	{name: "several lines", text: "A='-----BEGIN\nab==\n# END'\nB=\"x\ny\\\nz\"\n", want: vars("A", "-----BEGIN\nab==\n# END", "B", "x\nyz")},
	{name: "parts", text: `A='it'"'"'s'` + "\n", want: vars("A", "it's")},
	{name: "twice", text: "A=1\nB=2\nA=3\n", want: vars("A", "1", "B", "2", "A", "3"), otherwise: "it shows what counts"},
	{name: "export", text: "export A=1\n export\t B='2'\nexport=3\nexporter=4\n", want: vars("A", "1", "B", "2", "export", "3", "exporter", "4"), otherwise: onlyTheKeys},
	{name: "lines of Windows", text: "A=1\r\n\r\nB=\"x\r\ny\"\r\nC=a\\\r\nb\r\n", want: vars("A", "1", "B", "x\ny", "C", "ab"), otherwise: "it keeps carriage returns in quotes, and ends a value at an escaped one"},
	{name: "byte order mark", text: "\ufeffA=1\n", want: vars("A", "1"), otherwise: "it refuses the name"},
	{name: "other scripts", text: "A=grüße, 世界\nB=\\ü\n", want: vars("A", "grüße, 世界", "B", "ü")},
	{name: "a backslash ends it", text: "A=1\\", want: vars("A", "1")},
}

// vars are variables from names and values in turn.
func vars(words ...string) []worker.Var {
	var all []worker.Var
	for i := 0; i < len(words); i += 2 {
		all = append(all, worker.Var{Name: words[i], Value: words[i+1]})
	}
	return all
}

func TestParseEnvFile(t *testing.T) {
	for _, tt := range envFileTests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := parseEnvFile("x.env", []byte(tt.text))
			if diff := cmp.Diff(tt.want, got); diff != "" || len(problems) > 0 {
				t.Errorf("problems %v, %s", problems, diff)
			}
		})
	}
}

// TestEnvFileLikeSystemd reads the same texts with systemd itself.
func TestEnvFileLikeSystemd(t *testing.T) {
	const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
	testhost.Need(t, testhost.Program(generator))
	for _, tt := range envFileTests {
		if tt.otherwise != "" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			if err := os.MkdirAll(filepath.Join(home, "environment.d"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(home, "environment.d", "x.conf"), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(generator)
			cmd.Env = []string{"XDG_CONFIG_HOME=" + home, "LC_ALL=C.UTF-8"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			said := map[string]string{}
			for line := range strings.Lines(string(out)) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				if strings.HasPrefix(value, `"`) {
					value = strings.ReplaceAll(value, "\\`", "`")
					if value, err = strconv.Unquote(value); err != nil {
						t.Fatalf("cannot read %q: %v", line, err)
					}
				}
				said[name] = value
			}
			for _, v := range tt.want {
				if got, ok := said[v.Name]; !ok || got != v.Value {
					t.Errorf("systemd reads %s as %q, we as %q", v.Name, got, v.Value)
				}
			}
		})
	}
}

func TestEnvFileProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no =", "A=1\n  hello\nB=2\n", []string{"2:3: there is no = in this line"}},
		{"bad names", "1A=1\n=2\nA B=3\na-b=4\nexport x.y=5\nexport =6\nü=7\n", []string{
			"1:1: this cannot be the name of a variable", "2:1: this cannot be the name of a variable", "3:1: this cannot be the name of a variable",
			"4:1: this cannot be the name of a variable", "5:8: this cannot be the name of a variable", "6:8: this cannot be the name of a variable", "7:1: this cannot be the name of a variable",
		}},
		{"open quotes", "A=1\nB= 'x\nC=2\n", []string{"2:4: this quote is never closed"}},
		{"open double quotes", "B=\"x\\", []string{"1:3: this quote is never closed"}},
		{"a part left open", "B='x'\"y\\\"", []string{"1:6: this quote is never closed"}},
		{"after the quote", "A='grüße' # yes\nB=\"x\" 'y'\nC='x'y\nD=1\n", []string{"1:11: there is more after the closing quote", "2:7: there is more after the closing quote", "3:6: there is more after the closing quote"}},
		{"after several lines", "A='a\nb\nc' d\ne\n", []string{"3:4: there is more after the closing quote", "4:1: there is no = in this line"}},
		{"NUL", "A=1\nB=ü\x00x\x00\nC\n", []string{"2:4: there is a NUL byte here"}},
		{"not UTF-8", "A=\xff\n#ü\xc3\nB=\xff\x00\n", []string{"1:3: this is not UTF-8", "2:3: this is not UTF-8", "3:4: there is a NUL byte here", "3:3: this is not UTF-8"}},
		{"carriage return", "A= x\ry\n", []string{"1:4: there is a carriage return in this value"}},
		{"a key without quotes", "PEM=-----BEGIN\nc2VjcmV0/+==\n-----END\n", []string{"2:1: this cannot be the name of a variable", "3:1: there is no = in this line"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := parseEnvFile("x.env", []byte(tt.text))
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message))
				if p.File != "x.env" || p.Source != "" || strings.Contains(fmt.Sprintf("%+v", p), "c2VjcmV0") {
					t.Errorf("%+v", p)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvFileRoundTrip(t *testing.T) {
	inDouble := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune("\\\"'$`#;= \t\n\r")))).Draw(t, "value")
		value = strings.ReplaceAll(value, "\x00", "")
		for strings.Contains(value, "\r\n") { // the end of a line is one, whoever wrote the file
			value = strings.ReplaceAll(value, "\r\n", "\n")
		}
		if !utf8.ValidString(value) {
			t.Skip("no environment file can hold it")
		}
		single := "'" + strings.ReplaceAll(value, "'", `'"'"'`) + "'"
		text := "A=\"" + inDouble.Replace(value) + "\"\nexport B = " + single + " \r\n"
		got, problems := parseEnvFile("x.env", []byte(text))
		if diff := cmp.Diff(vars("A", value, "B", value), got); diff != "" || len(problems) > 0 {
			t.Fatalf("%q: problems %v, %s", text, problems, diff)
		}
	})
}

func FuzzParseEnvFile(f *testing.F) {
	for _, tt := range envFileTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, problems := parseEnvFile("x.env", []byte(text))
		for _, v := range found {
			if !envName.MatchString(v.Name) || strings.ContainsRune(v.Value, 0) || !utf8.ValidString(v.Value) {
				t.Errorf("%q", v)
			}
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" {
				t.Errorf("%+v", p)
			}
		}
		if again, _ := parseEnvFile("x.env", []byte(text)); !cmp.Equal(found, again) {
			t.Error("two readings differ")
		}
	})
}
