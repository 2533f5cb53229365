package etcd_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease/etcd"
	"github.com/broodctl/brood/internal/lease/remote"
)

// What cannot work is refused before anybody is asked.
func TestMistakes(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	secure := []string{"https://127.0.0.1:1"}
	for says, c := range map[string]etcd.Config{
		"no endpoint of etcd is given":                              {},
		`"127.0.0.1:2379" of etcd is not like https://host:2379`:    {Endpoints: []string{"127.0.0.1:2379"}},
		"either all are encrypted or none":                          {Endpoints: []string{"https://a:1", "http://b:1"}},
		"needs its key":                                             {Endpoints: secure, Cert: text},
		"needs a password":                                          {Endpoints: secure, User: "brood"},
		"cannot read the password":                                  {Endpoints: secure, User: "brood", PasswordFile: "/nonexistent"},
		"certificates for etcd need endpoints with https":           {Endpoints: []string{"http://a:1"}, CA: text},
		"has no certificate of an authority":                        {Endpoints: secure, CA: text},
		"cannot read etcd's certificate authority":                  {Endpoints: secure, CA: "/nonexistent"},
		"cannot read the client's certificate":                      {Endpoints: secure, Cert: text, Key: text},
		"a lease of 1ms is not between":                             {Endpoints: secure, Engine: remote.Config{Lease: time.Millisecond}},
		"an error of clocks of 9s is not between 0 and half of the": {Endpoints: secure, Engine: remote.Config{ClockError: 9 * time.Second}},
		"the holder's name has 200 bytes":                           {Endpoints: secure, Engine: remote.Config{Who: strings.Repeat("x", 200)}},
	} {
		e, err := etcd.New(c)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if e != nil {
			e.Close()
		}
		own := c.Engine.Lease == 0 && c.Engine.ClockError == 0 && c.Engine.Who == ""
		if err := c.Check(); own && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: beforehand: %v", says, err)
		}
	}
}

// An engine exists while nobody answers, says so to those who claim, and ends at once.
func TestNobodyAnswers(t *testing.T) {
	e := engine(t, etcd.Config{Endpoints: []string{"http://127.0.0.1:1"}}, remote.Config{Who: "here", Request: time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := e.Claim(ctx, "ids", 0)
	if err == nil || !strings.Contains(err.Error(), "cannot claim place 0 of ids: the engine cannot be reached") || !strings.Contains(err.Error(), "http://127.0.0.1:1") ||
		!strings.Contains(err.Error(), "connection refused") {
		t.Errorf("claimed: %v", err)
	}
}
