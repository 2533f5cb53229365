package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestBroken shows what people see of each mistake.
func TestBroken(t *testing.T) {
	paths, err := filepath.Glob("testdata/broken/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 45 {
		t.Errorf("there are %d broken files, and should be 45 and more", len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".toml"), func(t *testing.T) {
			f, err := Parse("brood.toml", mustRead(t, path))
			if err == nil {
				_, err = FromFile(f, brokenWorld())
			}
			if err == nil {
				t.Fatal("no problem was found")
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "geheim") {
				t.Errorf("a secret is shown:\n%v", err)
			}
			golden(t, strings.TrimSuffix(path, ".toml")+".golden", err.Error()+"\n")
		})
	}
}

func brokenWorld() World {
	w := files(map[string]string{
		"/srv/good.env":                      "TOKEN=geheim\n",
		"/srv/bad.env":                       "GOOD=1\nno equals sign\nBROOD_SLOT=3\n",
		"/run/credentials/brood/key":         "s3cret\n",
		"/run/credentials/brood/template.me": "{{.Nothing}}",
	})
	w.LookupUser = func(user, group string) error {
		if user == "nobdy" || group == "nobdy" {
			return errNoUser
		}
		return nil
	}
	return w
}
