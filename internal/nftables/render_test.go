package nftables_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/nftables"
	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// listen is a listener with a public port, as -l of brood run would have it.
func listen(t *testing.T, flag string, public int) config.Listener {
	t.Helper()
	cfg, err := listener.ParseFlag(flag)
	if err != nil {
		t.Fatal(err)
	}
	return config.Listener{Config: cfg, Public: public}
}

// serving is a configuration whose one pool of four workers has all the listeners.
func serving(listeners ...config.Listener) *config.Config {
	pool := config.Pool{Name: "app", Spec: machine.Spec{Workers: 4}}
	for _, l := range listeners {
		pool.Listen = append(pool.Listen, l.Name)
	}
	return &config.Config{Name: "web", Path: "/etc/brood/web.toml", Listeners: listeners, Pools: []config.Pool{pool}}
}

// sticky cannot be said by a flag of brood run.
func sticky(l config.Listener) config.Listener {
	l.Steer = listener.ClientIP
	return l
}

// kinds are all the shapes that a rule may have.
func kinds(t *testing.T) map[string]struct {
	listener config.Listener
	rules    []string
} {
	return map[string]struct {
		listener config.Listener
		rules    []string
	}{
		"all addresses": {
			listen(t, ":8080", 80),
			[]string{"fib daddr type local tcp dport 80 redirect to :8080"},
		},
		"IPv6 that takes IPv4": {
			listen(t, "[::]:8080", 80),
			[]string{"fib daddr type local tcp dport 80 redirect to :8080"},
		},
		"IPv4 alone": {
			listen(t, "0.0.0.0:8080", 80),
			[]string{"meta nfproto ipv4 fib daddr type local tcp dport 80 redirect to :8080"},
		},
		"IPv6 alone": {
			listen(t, "tcp6::8080", 80),
			[]string{"meta nfproto ipv6 fib daddr type local tcp dport 80 redirect to :8080"},
		},
		"datagrams": {
			listen(t, "udp::5353", 53),
			[]string{"fib daddr type local udp dport 53 redirect to :5353"},
		},
		"one address": {
			listen(t, "192.0.2.5:8080", 80),
			[]string{"ip daddr 192.0.2.5 tcp dport 80 dnat ip to 192.0.2.5:8080"},
		},
		"one address of six": {
			listen(t, "[2001:db8::1]:8080", 80),
			[]string{"ip6 daddr 2001:db8::1 tcp dport 80 dnat ip6 to [2001:db8::1]:8080"},
		},
		"per slot": {
			listen(t, ":9000,mode=per-slot", 80),
			[]string{"fib daddr type local tcp dport 80 redirect to :numgen inc mod 4 map @slots_http"},
		},
		"per slot on one address": {
			listen(t, "192.0.2.5:9000,mode=per-slot", 80),
			[]string{"ip daddr 192.0.2.5 tcp dport 80 dnat ip to 192.0.2.5:numgen inc mod 4 map @slots_http"},
		},
		"per slot, datagrams": {
			listen(t, "udp::9000,mode=per-slot", 53),
			[]string{"fib daddr type local udp dport 53 redirect to :numgen inc mod 4 map @slots_http"},
		},
		"per slot from the public port on": {
			listen(t, ":9000,mode=per-slot", 9000),
			[]string{"fib daddr type local tcp dport 9000 redirect to :numgen inc mod 4 map @slots_http"},
		},
		"per slot by client": {
			sticky(listen(t, ":9000,mode=per-slot", 80)),
			[]string{
				"meta nfproto ipv4 fib daddr type local tcp dport 80 redirect to :jhash ip saddr mod 4 seed 0x1 map { 0 : 9000, 1 : 9001, 2 : 9002, 3 : 9003 }",
				"meta nfproto ipv6 fib daddr type local tcp dport 80 redirect to :jhash ip6 saddr mod 4 seed 0x1 map { 0 : 9000, 1 : 9001, 2 : 9002, 3 : 9003 }",
			},
		},
		"per slot by client of six": {
			sticky(listen(t, "[2001:db8::1]:9000,mode=per-slot", 80)),
			[]string{"ip6 daddr 2001:db8::1 tcp dport 80 dnat ip6 to [2001:db8::1]:jhash ip6 saddr mod 4 seed 0x1 map { 0 : 9000, 1 : 9001, 2 : 9002, 3 : 9003 }"},
		},
		"a strange name": {
			listen(t, `tcp"@x$=:9000,mode=per-slot`, 80),
			[]string{"fib daddr type local tcp dport 80 redirect to :numgen inc mod 4 map @slots_tcp__x_"},
		},
	}
}

func TestRules(t *testing.T) {
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			got := render(t, serving(kind.listener))
			for _, chain := range []string{"prerouting", "output"} {
				want := slices.Clone(kind.rules)
				if chain == "output" && kind.listener.Address.Network == "udp" {
					want[0] = strings.Replace(want[0], "redirect", "dnat", 1)
				}
				if rules := rulesOf(got, chain); !slices.Equal(rules, want) {
					t.Errorf("chain %s has\n%s\nwant\n%s", chain, strings.Join(rules, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}

// The first rule that fits counts: those of one address must stand in front.
func TestOrder(t *testing.T) {
	cfg := serving(listen(t, "all=:8080", 80), listen(t, "six=tcp6::8081", 80), listen(t, "one=192.0.2.5:8082", 80))
	var ports []string
	for _, rule := range rulesOf(render(t, cfg), "output") {
		ports = append(ports, rule[strings.LastIndex(rule, ":"):])
	}
	if want := []string{":8082", ":8081", ":8080"}; !slices.Equal(ports, want) {
		t.Errorf("ports %v, want %v", ports, want)
	}
}

// Listeners without a public port, or that need no rule, have none.
func TestSome(t *testing.T) {
	cfg := serving(listen(t, "a=:8080", 80), listen(t, "b=:8081", 0), listen(t, "c=:8082", 8082), listen(t, "systemd:d", 443))
	if rules := rulesOf(render(t, cfg), "prerouting"); len(rules) != 1 {
		t.Errorf("rules %q", rules)
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  *config.Config
		opt  nftables.Options
		want string
	}{
		"no public port":   {cfg: serving(listen(t, ":8080", 0)), want: "cannot write rules: no listener has a public port"},
		"nothing to do":    {cfg: serving(listen(t, ":80", 80)), want: "cannot write rules: every public port is that of its listener, or opened by systemd"},
		"unix":             {cfg: serving(listen(t, "unix:/run/x.sock", 80)), want: "cannot write rules for listener http: a unix socket has no port"},
		"any port":         {cfg: serving(listen(t, ":0", 80)), want: "cannot write rules for listener http: the kernel chooses its port, another one at each start"},
		"loopback":         {cfg: serving(listen(t, "127.0.0.1:8080", 80)), want: "cannot write rules for listener http: it listens on 127.0.0.1, where the kernel lets no packet of another machine go"},
		"loopback of six":  {cfg: serving(listen(t, "[::1]:8080", 80)), want: "cannot write rules for listener http: it listens on ::1, where the kernel lets no packet of another machine go"},
		"loopback by name": {cfg: serving(listen(t, "localhost:8080", 80)), want: "cannot write rules for listener http: it listens on localhost, where the kernel lets no packet of another machine go"},
		"zone":             {cfg: serving(listen(t, "[fe80::1%eth0]:8080", 80)), want: "cannot write rules for listener http: fe80::1%eth0 is an address of one link only"},
		"twice":            {cfg: serving(listen(t, "a=:8080", 80), listen(t, "b=[::]:8081", 80)), want: "cannot write rules for listener b: listener a has the public port 80 already"},
		"too many ports":   {cfg: serving(listen(t, ":65533,mode=per-slot", 80)), want: "cannot write rules for listener http: its last slot would have the port 65536"},
		"table":            {cfg: serving(listen(t, ":8080", 80)), opt: nftables.Options{Table: "a b"}, want: `cannot write rules: no table can be called "a b"`},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := nftables.Render(c.cfg, c.opt)
			bad, ok := errors.AsType[*nftables.Error](err)
			if !ok || err.Error() != c.want || bad.Hint() == "" || text != "" {
				t.Errorf("%q, %v, want %s and a hint", text, err, c.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	cfg := serving(listen(t, ":8080", 80))
	cfg.Name = "web@one_1"
	for table, want := range map[string]string{"": "\ntable inet brood-web_one_1 {\n", "edge": "\ntable inet edge {\n"} {
		text, err := nftables.Render(cfg, nftables.Options{Table: table})
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%q: %v, no %q in\n%s", table, err, want, text)
		}
	}
}

// Turns of slots that do not serve go to others, those of the others stay where they are.
func TestTurns(t *testing.T) {
	for _, tt := range []struct {
		now  map[string]nftables.Turns
		want string
	}{
		{nil, "{ 0 : 9000, 1 : 9001, 2 : 9002, 3 : 9003 }"},
		{map[string]nftables.Turns{"other": {Slots: 2}}, "{ 0 : 9000, 1 : 9001, 2 : 9002, 3 : 9003 }"},
		{map[string]nftables.Turns{"http": {}}, "{ 0 : 9000, 1 : 9001, 2 : 9002, 3 : 9003 }"},
		{map[string]nftables.Turns{"http": {Slots: 3}}, "{ 0 : 9000, 1 : 9001, 2 : 9002 }"},
		{map[string]nftables.Turns{"http": {Slots: 4, Serving: []int{0, 1, 3}}}, "{ 0 : 9000, 1 : 9001, 2 : 9003, 3 : 9003 }"},
		{map[string]nftables.Turns{"http": {Slots: 4, Serving: []int{2}}}, "{ 0 : 9002, 1 : 9002, 2 : 9002, 3 : 9002 }"},
	} {
		for _, l := range []config.Listener{listen(t, ":9000,mode=per-slot", 80), sticky(listen(t, ":9000,mode=per-slot", 80))} {
			text, err := nftables.Render(serving(l), nftables.Options{Now: tt.now})
			if err != nil || !strings.Contains(text, tt.want) {
				t.Errorf("%v: %v, no %s in\n%s", tt.now, err, tt.want, text)
			}
		}
	}
}

// TestLoads: nft takes every kind, and loading a file again changes nothing.
func TestLoads(t *testing.T) {
	testhost.Need(t, testhost.Program("nft"))
	ns := testhost.NewNetNS(t)
	file := filepath.Join(t.TempDir(), "rules.nft")
	for name, kind := range kinds(t) {
		if err := os.WriteFile(file, []byte(render(t, serving(kind.listener))), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		ns.Must("nft", "-c", "-f", file)
		ns.Must("nft", "-f", file)
		first := ns.Must("nft", "list", "ruleset")
		ns.Must("nft", "-f", file)
		if again := ns.Must("nft", "list", "ruleset"); again != first {
			t.Errorf("loading again changed\n%s\nto\n%s", first, again)
		}
	}
}

func render(t *testing.T, cfg *config.Config) string {
	t.Helper()
	text, err := nftables.Render(cfg, nftables.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// rulesOf gives the rules of a chain, without the line that makes it one.
func rulesOf(text, chain string) []string {
	_, text, _ = strings.Cut(text, "chain "+chain+" {\n")
	text, _, _ = strings.Cut(text, "\t}\n")
	var rules []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "type nat") {
			rules = append(rules, line)
		}
	}
	return rules
}
