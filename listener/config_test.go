package listener

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFlag(t *testing.T) {
	t.Parallel()
	tcp := Address{Network: "tcp", Port: 8080}
	tests := map[string]Config{
		":8080":                               {Name: "http", Address: tcp, QueueAware: true},
		"web=:8080":                           {Name: "web", Address: tcp, QueueAware: true},
		"web.1-a_b@=:8080":                    {Name: "web.1-a_b@", Address: tcp, QueueAware: true},
		":8080,mode=shared,backlog=16":        {Name: "http", Address: tcp, Mode: Shared, Backlog: 16},
		":8080,steer=client-ip,mode=sharded":  {Name: "http", Address: tcp, Mode: Sharded, Steer: ClientIP},
		":8080,steer=cpu":                     {Name: "http", Address: tcp, Steer: CPU, QueueAware: true},
		":8080,steer=cpu,queue-aware=true":    {Name: "http", Address: tcp, Steer: CPU, QueueAware: true},
		":8080,queue-aware=false":             {Name: "http", Address: tcp},
		":8080,mode=shared,queue-aware=false": {Name: "http", Address: tcp, Mode: Shared},
		"tcp:*:8080,mode=per-slot":            {Name: "http", Address: tcp, Mode: PerSlot},
		"systemd:api":                         {Name: "api", Address: Address{Network: "systemd", Name: "api"}, QueueAware: true},
		"web=systemd:api,steer=random":        {Name: "web", Address: Address{Network: "systemd", Name: "api"}, QueueAware: true},
		"unix:/a=b":                           {Name: "http", Address: Address{Network: "unix", Path: "/a=b"}},
		"u=unix:@x,mode=shared":               {Name: "u", Address: Address{Network: "unix", Path: "@x"}, Mode: Shared},
		"unix:/x,perm=0660,owner=root:daemon": {Name: "http", Address: Address{Network: "unix", Path: "/x"}, Perm: 0o660, Owner: "root", Group: "daemon"},
		"unix:/x,owner=:12":                   {Name: "http", Address: Address{Network: "unix", Path: "/x"}, Group: "12"},
	}
	for in, want := range tests {
		got, err := ParseFlag(in)
		if err != nil {
			t.Errorf("ParseFlag(%q): %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseFlag(%q): (-want +got)\n%s", in, diff)
		}
	}
}

func TestParseFlagRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                     "no port",
		"=:80":                                 "name is empty",
		"a b=:80":                              "sign other than",
		"web=":                                 "no port",
		":80,":                                 "needs a value",
		":80,mode":                             "needs a value",
		":80,mode=prefork":                     "one of auto, sharded, shared, per-slot",
		":80,steer=hash":                       "one of random, client-ip, cpu",
		":80,colour=red":                       "there are mode, steer, queue-aware, backlog, perm, owner",
		":80,queue-aware=1":                    "neither true nor false",
		":80,queue-aware=true,mode=shared":     "queue-aware steering is for sharded TCP",
		"udp::53,queue-aware=true":             "queue-aware steering is for sharded TCP",
		"unix:/x,queue-aware=true":             "queue-aware steering is for sharded TCP",
		":80,queue-aware=true,steer=client-ip": "keeps clients with their worker",
		":80,backlog=0":                        "positive number",
		":80,backlog=1,backlog=1":              "given twice",
		":80,perm=0600":                        "for unix sockets",
		":80,owner=root":                       "for unix sockets",
		"unix:/x,perm=800":                     "octal",
		"unix:/x,perm=1777":                    "octal",
		"unix:/x,owner=:":                      "names nobody",
		"unix:/x,mode=sharded":                 "cannot be sharded",
		"unix:/x,mode=per-slot":                "cannot be per-slot",
		"unix:/x,steer=random":                 "for sharded TCP",
		"udp::53,steer=random":                 "for sharded TCP",
		"udp::53,backlog=1":                    "backlog is for stream",
		":80,mode=shared,steer=cpu":            "for sharded TCP",
		"systemd:x,mode=per-slot":              "cannot be per-slot",
		":0,mode=per-slot":                     "needs the port of slot 0",
		":80,mode=per-slot,backlog=9":          "backlog is for stream",
	}
	for in, want := range tests {
		got, err := ParseFlag(in)
		if err == nil {
			t.Errorf("ParseFlag(%q) = %+v, want an error", in, got)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "cannot read listener") {
			t.Errorf("ParseFlag(%q): %v, want one about %q", in, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		Auto.String(): "auto", PerSlot.String(): "per-slot", Mode(9).String(): "unknown 9",
		CPU.String(): "cpu", B.String(): "B", EventRelayed.String(): "relayed",
		Repair(0).String(): "nothing", (Revived | Backlog).String(): "revived backlog",
		Event{Kind: EventRelayed, Listener: "web", Slot: 3, Side: B, Count: 7}.String():        "web: relayed (slot 3 side B) x7",
		Event{Kind: EventFellBack, Listener: "web", Slot: -1, Err: errors.New("why")}.String(): "web: fell back to shared: why",
	}
	for got, want := range tests {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzParseFlag(f *testing.F) {
	for _, s := range []string{":80", "a=:80,mode=shared", "unix:/x,perm=660,owner=a:b", "systemd:x,steer=cpu", ":1,queue-aware=true", "b=udp::1,mode=per-slot"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseFlag(s)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%q is %+v, which is not valid: %v", s, c, err)
		}
		address, err := ParseAddress(c.Address.String())
		if err != nil || address != c.Address {
			t.Fatalf("%q has address %+v, which reads back as %+v, %v", s, c.Address, address, err)
		}
	})
}
