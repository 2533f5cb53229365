package etcd_test

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/etcd"
	"github.com/broodctl/brood/internal/lease/leasetest"
	"github.com/broodctl/brood/internal/lease/remote"
	"github.com/broodctl/brood/internal/testetcd"
	"github.com/broodctl/brood/internal/testhost"
)

// The contract with all that stands between an engine and etcd: certificates on both sides, a user that may use nothing
// but the prefix, tokens that expire while nothing happens.
func TestContract(t *testing.T) {
	testhost.Need(t, testhost.Program("etcd"))
	t.Parallel() // both tests wait most of the time
	files := testetcd.NewCertificates(t)
	cluster := testetcd.Start(t, testetcd.Config{Secure: true, Flags: append(files.Flags(),
		"--auth-token-ttl", "1",
		"--bcrypt-cost", "4", // etcd makes checking a password slow on purpose
	)})
	cfg := etcd.Config{
		Endpoints: cluster.Endpoints(), Prefix: "/brood/test",
		CA: files.CA, Cert: files.Client, Key: files.ClientKey, User: "brood", PasswordFile: passwordFile(t, "secret\n"),
	}
	permit(t, cfg)
	t.Run("strangers", func(t *testing.T) { strangers(t, cfg) })
	leasetest.Run(t, func(t *testing.T, body func(*testing.T, leasetest.World)) {
		cfg := cfg
		cfg.Prefix = "/brood/" + t.Name()
		body(t, leasetest.World{
			Engine: func(t *testing.T, who string) lease.Engine { return engine(t, cfg, remote.Config{Who: who}) },
			Kill:   kill,
			Upgrade: func(t *testing.T, e lease.Engine, who string) lease.Engine {
				session := e.Session()
				kill(t, e)
				return engine(t, cfg, remote.Config{Who: who, Resume: remote.Saved{Session: session}})
			},
			Cooldown: 3300 * time.Millisecond,
			Patience: 20 * time.Second,
		})
	})
}

// strangers are told what etcd has against them.
func strangers(t *testing.T, cfg etcd.Config) {
	wrong, elsewhere := cfg, cfg
	wrong.PasswordFile, elsewhere.Prefix = passwordFile(t, "wrong"), "/other"
	for says, c := range map[string]etcd.Config{
		"invalid user ID or password": wrong,
		"permission denied":           elsewhere,
	} {
		e := engine(t, c, remote.Config{Who: "stranger"})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if _, err := e.Claim(ctx, "ids", 0); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "place 0 of ids") {
			t.Errorf("%s: %v", says, err)
		}
		cancel()
	}
}

func engine(t *testing.T, cfg etcd.Config, how remote.Config) lease.Engine {
	t.Helper()
	how.Lease = 3 * time.Second
	how.Request = cmp.Or(how.Request, 3*time.Second) // a busy machine is slow, and this is no test of speed
	cfg.Engine = how
	e, err := etcd.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func kill(t *testing.T, e lease.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// permit makes the user of the tests, who may use one prefix.
func permit(t *testing.T, cfg etcd.Config) {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: cfg.Endpoints, TLS: clientTLS(t, cfg)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testetcd.Patience)
	defer cancel()
	for _, step := range []func() error{
		func() error { _, err := c.RoleAdd(ctx, "root"); return err },
		func() error { _, err := c.UserAdd(ctx, "root", "root"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := c.RoleAdd(ctx, "brood"); return err },
		func() error {
			_, err := c.RoleGrantPermission(ctx, "brood", "/brood/", clientv3.GetPrefixRangeEnd("/brood/"), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.UserAdd(ctx, "brood", "secret"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "brood", "brood"); return err },
		func() error { _, err := c.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func passwordFile(t *testing.T, password string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
