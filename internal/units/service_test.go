package units_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/units"
)

// pool is a pool of one user that has settled its times.
const pool = `
[pool.app]
command = ["/srv/app/server"]
workers = 4
user = "app"
[pool.app.stop]
grace = "30s"
`

// listening is the same with a listener a.
func listening(lines string) string {
	return strings.Replace(pool, "user", "listen = [\"a\"]\nuser", 1) + "[listen.a]\n" + lines
}

func TestService(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		opt  units.Options
		want []string
	}{
		"one user": {
			text: pool,
			want: []string{
				"Type=notify", "NotifyAccess=main", "ExecStart=/bin/true run -c /etc/brood/web.toml",
				"User=app", "!Group=", "!SupplementaryGroups=", "CapabilityBoundingSet=", "!AmbientCapabilities=",
				"WorkingDirectory=/etc/brood", "RuntimeDirectory=brood", "KillMode=mixed", "WatchdogSec=20",
				"OOMPolicy=continue", "Delegate=yes", "!ProtectControlGroups=", "Restart=on-failure", "RestartPreventExitStatus=78", "LimitNOFILE=65535",
				"NoNewPrivileges=yes", "PrivateTmp=yes", "ProtectHome=read-only", "After=network.target", "!Sockets=",
				"!LimitNPROC=", "!LimitMEMLOCK=", "!LoadCredential=", "!FileDescriptorStoreMax=", "WantedBy=multi-user.target",
				"Description=brood: the workers of app",
			},
		},
		"its groups": {
			text: strings.Replace(pool, `user = "app"`, `user = "app"`+"\ngroup = \"web\"\ngroups = [\"ssl-cert\", \"video\"]", 1),
			want: []string{"User=app", "Group=web", "SupplementaryGroups=ssl-cert video"},
		},
		"nobody named": {
			text: strings.Replace(pool, `user = "app"`, "", 1),
			want: []string{"!User=", "!CapabilityBoundingSet="},
		},
		"two users": {
			text: pool + "[pool.queue]\ncommand = [\"q\"]\nuser = \"queue\"",
			want: []string{
				"!User=", "!AmbientCapabilities=", "Description=brood: the workers of app and queue",
				"CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH",
			},
		},
		"a user for each slot": {
			text: strings.Replace(pool, `"app"`, `"app{{.Slot}}"`, 1),
			want: []string{"!User=", "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"},
		},
		"root beside another user": {
			text: pool + "[pool.queue]\ncommand = [\"q\"]\nuser = \"root\"",
			want: []string{"!User=", "!CapabilityBoundingSet="},
		},
		"capabilities that workers keep": {
			text: strings.Replace(pool, "user", `process = {capabilities = ["NET_RAW"]}`+"\nuser", 1),
			want: []string{"User=app", "AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW"},
		},
		"none that workers keep": {
			text: strings.Replace(pool, "user", `process = {capabilities = []}`+"\nuser", 1),
			want: []string{"User=app", "!AmbientCapabilities=", "CapabilityBoundingSet="},
		},
		"settings beyond brood's own": {
			text: strings.Replace(pool, "user", `process = {nice = -1, oom_score_adj = -5, capabilities = []}`+"\nuser", 1),
			want: []string{"CapabilityBoundingSet=CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SETPCAP"},
		},
		"a low port": {
			text: listening("address = \":80\""),
			want: []string{"FileDescriptorStoreMax=64", "User=app", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"},
		},
		"a low port that systemd opens": {
			text: listening("address = \":80\""), opt: units.Options{Sockets: true},
			want: []string{"!AmbientCapabilities=", "CapabilityBoundingSet=", "Sockets=web-a@1.socket"},
		},
		"a socket to give away": {
			text: listening("address = \"unix:/run/brood/a.sock\"\nowner = \"www-data\""),
			want: []string{
				"!User=",
				"CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_SYS_PTRACE CAP_DAC_OVERRIDE CAP_FOWNER",
			},
		},
		"a socket of its own user":    {text: listening("address = \"unix:/run/brood/a.sock\"\nowner = \"app\""), want: []string{"User=app"}},
		"a socket where root is":      {text: listening("address = \"unix:/run/a.sock\""), want: []string{"!User="}},
		"a socket for all in /tmp":    {text: listening("address = \"unix:/tmp/a.sock\""), want: []string{"User=app", "!PrivateTmp=yes"}},
		"a socket at home":            {text: listening("address = \"unix:/home/app/a.sock\""), want: []string{"!ProtectHome=read-only"}},
		"an address of one interface": {text: listening("address = \"192.0.2.1:8080\""), want: []string{"After=network-online.target", "Wants=network-online.target"}},
		"credentials": {
			text: pool, opt: units.Options{Credentials: []string{"a.pem", "b%"}},
			want: []string{"LoadCredential=a.pem:/etc/credstore/a.pem", "LoadCredential=b%%:/etc/credstore/b%%"},
		},
		"limits": {
			text: pool + "[pool.app.limits]\nnofile = 100000\nnproc = 64\nmemlock = \"64M\"",
			want: []string{"LimitNOFILE=100000", "LimitNPROC=infinity", "LimitMEMLOCK=8388608:67108864"},
		},
		"small limits":    {text: pool + "[pool.app.limits]\nnofile = 100\nmemlock = \"64K\"", want: []string{"LimitNOFILE=65535", "!LimitMEMLOCK="}},
		"no limit":        {text: pool + "[pool.app.limits]\nnofile = \"infinity\"", want: []string{"LimitNOFILE=infinity"}},
		"a thousand":      {text: strings.Replace(pool, "= 4", "= 5000\nlisten = [\"a\"]", 1) + "[listen.a]\naddress = \":8080\"", want: []string{"LimitNOFILE=140064", "FileDescriptorStoreMax=8192"}},
		"some":            {text: strings.Replace(pool, "= 4", "= 40\nlisten = [\"a\", \"b\"]", 1) + "[listen.a]\naddress = \":8080\"\n[listen.b]\naddress = \"unix:@b\"", want: []string{"FileDescriptorStoreMax=256"}},
		"ports of slots":  {text: listening("address = \":8080\"\nmode = \"per-slot\""), want: []string{"!FileDescriptorStoreMax="}},
		"systemd reloads": {text: pool, opt: units.Options{NotifyReload: true}, want: []string{"Type=notify-reload", "!ExecReload="}},
		"a control socket": {
			text: pool + "[supervisor]\ncontrol = \"/run/brood/a b.sock\"",
			want: []string{`ExecReload=/bin/true reload --control "/run/brood/a b.sock" --timeout 100s`},
		},
		"the program": {text: pool, opt: units.Options{Binary: "/opt/br%d/my brood"}, want: []string{`ExecStart="/opt/br%%d/my brood" run -c /etc/brood/web.toml`}},
	} {
		t.Run(name, func(t *testing.T) {
			demand(t, render(t, load(t, c.text), c.opt).Files[0], c.want)
		})
	}
}

// What systemd waits for is longer than what brood needs.
func TestTimes(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		// A ready_timeout of a minute and a grace of 30 s; nothing settles without listeners.
		"one pool": {pool, []string{"TimeoutStartSec=105", "TimeoutStopSec=45", "ExecReload=/bin/true reload --name web --timeout 100s"}},
		"patient":  {pool + "delay = \"5s\"\n[pool.app.rollout]\nready_timeout = \"5m\"\ncanary = \"1m\"", []string{"TimeoutStartSec=425", "TimeoutStopSec=50"}},
		"for ever": {pool + "[pool.app.rollout]\nready_timeout = \"0s\"", []string{"TimeoutStartSec=infinity", "ExecReload=/bin/true reload --name web --timeout 86400s"}},
		"said":     {pool + "[supervisor]\nstop_timeout = \"3m\"", []string{"TimeoutStopSec=180"}},
		"a chain": {
			pool + "[pool.b]\ncommand = [\"b\"]\nafter = [\"app\"]\nuser = \"app\"\n[pool.b.stop]\ngrace = \"2m\"\n" +
				"[pool.c]\ncommand = [\"c\"]\nafter = [\"app\"]\nuser = \"app\"\n[pool.c.stop]\ngrace = \"1m\"\n",
			[]string{"TimeoutStopSec=165"},
		},
		"in waves": {
			pool + "[pool.app.rollout]\nready_timeout = \"1s\"\nmin_ready = \"1m\"\nmax_surge = \"50%\"",
			[]string{"TimeoutStartSec=166"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			demand(t, render(t, load(t, c.text), units.Options{}).Files[0], c.want)
		})
	}
}

func TestNotes(t *testing.T) {
	for want, text := range map[string]string{
		"listener a is in /srv/run, which has to be there when the service starts, and app has to be allowed to write in it; see tmpfiles.d(5)":     listening("address = \"unix:/srv/run/a.sock\""),
		"listener a is in /run/web, which has to be there when the service starts, and app has to be allowed to write in it; see tmpfiles.d(5)":     listening("address = \"unix:/run/web/a.sock\""),
		"the control socket is in /srv, which has to be there when the service starts, and app has to be allowed to write in it; see tmpfiles.d(5)": pool + "[supervisor]\ncontrol = \"/srv/c.sock\"",
	} {
		if notes := render(t, load(t, text), units.Options{}).Notes; !slices.Equal(notes, []string{want}) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	for _, text := range []string{pool, listening("address = \"unix:@a\""), listening("address = \"unix:/run/brood/a.sock\"")} {
		if notes := render(t, load(t, text), units.Options{}).Notes; len(notes) > 0 {
			t.Errorf("%s: notes %q", text, notes)
		}
	}
}

func TestErrors(t *testing.T) {
	named := func(change func(*config.Config)) *config.Config {
		cfg := load(t, pool)
		change(cfg)
		return cfg
	}
	for name, c := range map[string]struct {
		cfg  *config.Config
		opt  units.Options
		want error
	}{
		"no file":                 {cfg: named(func(cfg *config.Config) { cfg.Path = "" })},
		"relative program":        {cfg: named(func(*config.Config) {}), opt: units.Options{Binary: "brood"}},
		"quote in the program":    {cfg: named(func(*config.Config) {}), opt: units.Options{Binary: `/opt/"x`}, want: units.ErrExpress},
		"NUL in the path":         {cfg: named(func(cfg *config.Config) { cfg.Path = "/a\x00/b" }), want: units.ErrExpress},
		"backslash at the end":    {cfg: named(func(cfg *config.Config) { cfg.Path = `/a\/b` }), want: units.ErrExpress},
		"line in the directory":   {cfg: named(func(cfg *config.Config) { cfg.Path = "/a\n/b" }), want: units.ErrExpress},
		"backslash in credential": {cfg: named(func(*config.Config) {}), opt: units.Options{Credentials: []string{`a\b`}}, want: units.ErrExpress},
	} {
		t.Run(name, func(t *testing.T) {
			if c.opt.Binary == "" {
				c.opt.Binary = "/bin/true"
			}
			made, err := units.Render(c.cfg, c.opt)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || len(made.Files) > 0 {
				t.Errorf("%d files, %v", len(made.Files), err)
			}
		})
	}
}

// sample is a configuration with every key that there is.
func sample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../config/testdata/good/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
