package listener

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDistinguish(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxName)
	tests := []struct{ name, given, want string }{
		{"different names", "http@80 https@443", "http https"},
		{"a group of one address", "web@80 web@80 web@80", "web web web"},
		{"two ports of one unit", "lactoserv.socket@80 lactoserv.socket@443", "lactoserv.socket lactoserv.socket-2"},
		{"groups that are mixed", "web@80 web@443 web@80 web@443 web@8080", "web web-2 web web-2 web-3"},
		{"a number that is somebody's name", "web@80 web-2@81 web@443", "web web-2 web-3"},
		{"and comes later", "web@80 web@443 web-2@81", "web web-3 web-2"},
		{"and is not alone either", "web@80 web-2@81 web@443 web-2@82", "web web-2 web-3 web-2-2"},
		{"as long as can be", long + "@80 " + long + "@443", long + " " + long[:maxName-2] + "-2"},
	}
	for _, tt := range tests {
		all := sketch(t, tt.given)
		distinguish(all)
		var got []string
		for i, p := range all {
			got = append(got, p.Name)
			if given, _, _ := strings.Cut(strings.Fields(tt.given)[i], "@"); p.given != given {
				t.Errorf("%s: %s has forgotten that it came as %s", tt.name, p.Name, given)
			}
		}
		if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
}

// sketch makes sockets of NAME@PORT words.
func sketch(t *testing.T, words string) (all []passed) {
	t.Helper()
	for word := range strings.FieldsSeq(words) {
		name, port, _ := strings.Cut(word, "@")
		at, err := ParseAddress(":" + port)
		must(t, err)
		all = append(all, passed{Inherited: Inherited{Name: name}, at: at})
	}
	return all
}

// FuzzDistinguish: whatever LISTEN_FDNAMES says, two sockets have one name if they came under one and have one address, and
// each name is that of somebody who came under it where there is one.
func FuzzDistinguish(f *testing.F) {
	f.Add("http:https", "ab")
	f.Add("web:web:web-2:web", "abab")
	f.Add(":unknown::unknown-2", "abcd")
	f.Add(`a"b:a"b`, "ab")
	f.Fuzz(func(t *testing.T, names, addresses string) {
		env := map[string]string{"LISTEN_PID": "7", "LISTEN_FDS": "0", "LISTEN_FDNAMES": names}
		if n := strings.Count(names, ":") + 1; n == len(addresses) && n < 40 {
			env["LISTEN_FDS"] = strings.TrimLeft(string([]byte{'0' + byte(n/10), '0' + byte(n%10)}), "0")
		}
		inherited, err := readEnviron(func(key string) string { return env[key] }, 7)
		if err != nil {
			return
		}
		var all []passed
		given := map[string]bool{}
		for i, in := range inherited {
			all = append(all, passed{Inherited: in, at: Address{Network: networkUnix, Path: addresses[i : i+1]}})
			given[in.Name] = true
		}
		distinguish(all)
		for i, a := range all {
			if len(a.Name) > maxName || a.Name != a.given && given[a.Name] {
				t.Errorf("%q came as %q", a.Name, a.given)
			}
			for _, b := range all[:i] {
				if same := a.given == b.given && a.at == b.at; same != (a.Name == b.Name) {
					t.Errorf("%q at %s and %q at %s became %q and %q", a.given, a.at, b.given, b.at, a.Name, b.Name)
				}
			}
		}
	})
}
