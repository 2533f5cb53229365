package shim

import (
	"reflect"
	"syscall"
	"testing"
)

func TestParseStatus(t *testing.T) {
	tests := map[string]Status{
		"":                           {},
		"exec":                       {Stage: StageExec},
		"exec 2":                     {Stage: StageExec, Errno: syscall.ENOENT},
		"prepare 22":                 {Stage: StagePrepare, Errno: syscall.EINVAL},
		"prepare":                    {Stage: StagePrepare},
		"limit 1 7":                  {Stage: StageLimit, Errno: syscall.EPERM, Resource: 7},
		"identity 1":                 {Stage: StageIdentity, Errno: syscall.EPERM},
		"dir 13":                     {Stage: StageDir, Errno: syscall.EACCES},
		"dir 13 7":                   {},
		"limit 1 7 9":                {},
		"nice 13":                    {Stage: StageNice, Errno: syscall.EACCES},
		"capability 1 12":            {Stage: StageCapability, Errno: syscall.EPERM, Resource: 12},
		"no-new-privs 22":            {Stage: StageNoNewPrivs, Errno: syscall.EINVAL},
		"deadman 62":                 {Stage: StageDeadman, Errno: syscall.ETIME},
		"oom 13 7":                   {},
		"exec 2 ":                    {},
		"exec x":                     {},
		"exec ":                      {},
		"exec 1234567":               {},
		"executed":                   {},
		"fatal error: out of memory": {},
	}
	for text, want := range tests {
		if got := ParseStatus(text); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
	for _, n := range []uint64{0, 7, 10, 133, 1<<64 - 1} {
		if got, rest, ok := number(format(n) + "x"); !ok || got != n || rest != "x" {
			t.Errorf("%d became %q", n, format(n))
		}
	}
}

func TestOrders(t *testing.T) {
	mask := uint32(0o027)
	tests := []struct {
		o    Orders
		want string
	}{
		{Orders{Status: 7}, "7"},
		{Orders{Status: 4, Umask: &mask, Death: 9}, "4,u23,k9"},
		{Orders{Status: 4, Umask: new(uint32), Dir: "/a,d b"}, "4,u0,d"},
		{Orders{Status: 12, Program: 13, Execveat: 322}, "12,x13:322"},
		{Orders{Status: 4, Watch: Watch{5, 6, [2]uint64{1<<64 - 1, 0}, 7}}, "4,m5:6:18446744073709551615:0:7"},
		{Orders{Status: 4, Limits: []Limit{{7, 0, 1<<64 - 1}, {4, 1, 2}}}, "4,l7:0:18446744073709551615,l4:1:2"},
		{Orders{Status: 4, As: &Identity{UID: 33, GID: 34}}, "4,i33:34"},
		{Orders{Status: 4, As: &Identity{UID: 33, GID: 34, Groups: []uint32{34, 1<<32 - 2}}}, "4,i33:34:34:4294967294"},
		{
			Orders{Status: 4, Settings: Settings{Nice: new(-5), IOPriority: new(16388), OOMScoreAdj: new(-1000), CPUs: []uint64{1, 0, 8}, Capabilities: new(uint64(1 << 10)), NoNewPrivs: true}},
			"4,n18446744073709551611,p16388,o18446744073709550616,c1:0:8,b1024,w1",
		},
		{Orders{Status: 4, Settings: Settings{Nice: new(0), Capabilities: new(uint64(0))}}, "4,n0,b0"},
	}
	for _, tt := range tests {
		line := tt.o.Argv("/bin/x", []string{"", "-d"})
		o, path, argv, ok := parseOrders(line)
		if line[0] != Name || line[1] != tt.want || !ok || path != "/bin/x" || !reflect.DeepEqual(argv, []string{"", "-d"}) || !reflect.DeepEqual(o, tt.o) {
			t.Errorf("%q became %+v, %q, %q", line, o, path, argv)
		}
	}
	for _, text := range []string{"", "x", "4,", "4,u", "4,u1:2", "4,l1:2", "4,l1:2:3:4", "4,i1", "4,k", "4,x3", "4u1", "4,z1", "4,n", "4,b1:2", "4,c", "4,m1:2:3:4", "4,u18446744073709551616", "4:5"} {
		if _, _, _, ok := parseOrders([]string{Name, text, "/bin/x", "x"}); ok {
			t.Errorf("accepted %q", text)
		}
	}
	if _, _, _, ok := parseOrders([]string{Name, "4,d", "/dir", "/bin/x"}); ok {
		t.Error("accepted a line without arguments")
	}
}

func TestSetPID(t *testing.T) {
	env := []string{"LISTEN_PID=", "WATCHDOG_PID=7", "LISTEN_PIDFDID=1", "XLISTEN_PID=1", "LISTEN_PID", ""}
	setPID(env, "42")
	want := [...]string{"LISTEN_PID=42", "WATCHDOG_PID=42", "LISTEN_PIDFDID=1", "XLISTEN_PID=1", "LISTEN_PID", ""}
	for i := range want {
		if env[i] != want[i] {
			t.Errorf("got %q, want %q", env[i], want[i])
		}
	}
}
