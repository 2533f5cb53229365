package config

import (
	"errors"
	"testing"
)

var errNoUser = errors.New("there is no such user or group")

// fullWorld has the files that testdata/good/full.toml names.
func fullWorld() World {
	return files(map[string]string{
		"/srv/web.env":                   "TOKEN='a {{b}}'\nLIST=overridden\n",
		"/run/credentials/brood/key.pem": "pem",
		"/etc/ssl/cert.pem":              "cert",
	})
}

func TestFull(t *testing.T) {
	f, err := Parse("brood.toml", mustRead(t, "testdata/good/full.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := FromFile(f, fullWorld())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", c)
}

// TestEncodeFull has every key in it, so that none can be forgotten.
func TestEncodeFull(t *testing.T) {
	f, err := Parse("brood.toml", mustRead(t, "testdata/good/full.toml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/good/full.encoded", string(text))
}
