package inspect

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestSecretNames(t *testing.T) {
	for _, name := range []string{
		"PASSWORD", "DB_PASSWD", "PGPASSWORD", "MYSQL_PWD", "SECRET", "CLIENT_SECRET", "client_secret", "TOKEN", "GITHUB_TOKEN", "API_KEY", "APIKEY", "KEY2",
		"AWS_SECRET_ACCESS_KEY", "PRIVATE_KEY", "SSH_AUTH", "SENTRY_DSN", "SESSION_COOKIE", "PASSPHRASE", "JWT", "x-api-key", "GOOGLE_CREDENTIALS", "DB_PASS",
	} {
		if !looksSecret(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"PATH", "PWD", "OLDPWD", "HOME", "PORT", "KEYBOARD", "MONKEY_COUNT", "AUTHOR", "COMPASS", "BROOD_SLOT", "LANG", "PINNED"} {
		if looksSecret(name) {
			t.Errorf("%s is hidden", name)
		}
	}
}

func TestSecretValues(t *testing.T) {
	for _, value := range []string{
		"postgres://user:pw@host/db", "redis://:pw@host", "https://token@github.com/x", "a b amqp://u:p@h", "-----BEGIN RSA PRIVATE KEY-----\nx",
		"http://plain/ then mysql://u:p@h/d", "postgres://u:a/b@host",
	} {
		if !hasSecret(value) {
			t.Errorf("%s is shown", value)
		}
	}
	for _, value := range []string{"", "text", "http://host:80/path", "someone@example.org", "http://host/?mail=a@b", "://", "tcp://0.0.0.0:1"} {
		if hasSecret(value) {
			t.Errorf("%s is hidden", value)
		}
	}
}

func TestKinds(t *testing.T) {
	for target, want := range map[string]string{
		"socket:[1]": "socket", "pipe:[2]": "pipe", "anon_inode:[eventpoll]": "eventpoll", "anon_inode:inotify": "inotify", "/memfd:x (deleted)": "memory",
		"/dev/null": "device", "/var/log/a:b": "file", "net:[4026531992]": "net", "": "",
	} {
		if got := kindOf(target); got != want {
			t.Errorf("%s is %q, want %q", target, got, want)
		}
	}
}

func TestLimitsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "Limit\n", "Limit Soft Limit Hard Limit Units\nx\n", "Hard Limit Soft Limit Units\n"} {
		if all, err := parseLimits([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, all)
		}
	}
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("7 (a) b) S 1 7" + strings.Repeat(" 2", 30)))
	f.Add([]byte(")("))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseStat(text)
		if err == nil && (s.parent < 0 || s.threads < 0) {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

func FuzzLimits(f *testing.F) {
	own, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parseLimits(text)
		if err != nil && all != nil {
			t.Errorf("%q: %+v and %v", text, all, err)
		}
	})
}

func FuzzEnviron(f *testing.F) {
	f.Add([]byte("A=b\x00TOKEN=x\x00"), "A", true)
	f.Fuzz(func(t *testing.T, text []byte, secret string, unknown bool) {
		all := parseEnviron(text, Secrets{Names: []string{secret}, Unknown: unknown})
		for _, v := range all {
			if v.Hidden && v.Value != "" {
				t.Errorf("the hidden value of %q is %q", v.Name, v.Value)
			}
			if !v.Hidden && (v.Name == secret || looksSecret(v.Name) || hasSecret(v.Value) || unknown && !harmless(v.Name)) {
				t.Errorf("%q is shown", v.Name)
			}
		}
		if !slices.IsSortedFunc(all, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) }) {
			t.Error("not in order")
		}
	})
}
