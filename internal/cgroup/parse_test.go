package cgroup

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	l := Limits{MemoryMax: 512 << 20, MemoryHigh: Unlimited, MemoryLow: 1, CPUMax: 1500, CPUWeight: 50, IOWeight: 200, PidsMax: 20}
	var got []string
	for _, s := range l.settings() {
		got = append(got, s.word+" "+s.controller+" "+s.file+"="+s.value)
	}
	want := []string{
		"memory_max memory memory.max=536870912", "memory_high memory memory.high=max", "memory_low memory memory.low=1",
		"cpu_max cpu cpu.max=150000 100000", "cpu_weight cpu cpu.weight=50", "io_weight io io.weight=default 200", "pids_max pids pids.max=20",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if words := l.Words(); len(words) != 7 || words[0] != "memory_max" {
		t.Errorf("words %q", words)
	}
	if none := (Limits{}).settings(); none != nil {
		t.Errorf("nothing said gives %v", none)
	}
}

func TestBandwidth(t *testing.T) {
	for thousandths, want := range map[uint64]string{
		1: "1000 1000000", 9: "9000 1000000", 10: "1000 100000", 500: "50000 100000", 1000: "100000 100000", Unlimited: "max 100000",
	} {
		if got := bandwidth(thousandths); got != want {
			t.Errorf("%d thousandths: %q, want %q", thousandths, got, want)
		}
	}
}

func TestForBFQ(t *testing.T) {
	for weight, want := range map[uint64]string{1: "default 1", 100: "default 100", 10000: "default 1000"} {
		if got := (setting{}).forBFQ(weight); got.value != want || got.file != "io.bfq.weight" {
			t.Errorf("%d: %+v, want %q", weight, got, want)
		}
	}
}

func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"web": "web", "a_b-1": "a_b-1", "memory.max": "memory%2Emax", "../x": "%2E%2E%2Fx", "ä": "%C3%A4", "": "", "%": "%25",
	} {
		if got := escape(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

const hybrid = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/uni\040fied rw,relatime shared:9 - cgroup2 cgroup2 rw
42 31 0:38 /a /mnt ro,relatime - cgroup2 cgroup2 rw
`

func TestParseMounts(t *testing.T) {
	got := parseMounts(hybrid)
	want := []mount{{root: "/", point: "/sys/fs/cgroup/uni fied"}, {root: "/a", point: "/mnt", readOnly: true}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, tc := range []struct{ root, group, want string }{
		{"/", "/", "/m"},
		{"/", "/a/b", "/m/a/b"},
		{"/a", "/a", "/m"},
		{"/a", "/a/b", "/m/b"},
		{"/a", "/ab", ""},
		{"/a", "/", ""},
		{"/", "/../x", ""},
		{"/../x", "/../x/y", "/m/y"},
	} {
		if dir, ok := (mount{root: tc.root, point: "/m"}).dir(tc.group); dir != tc.want || ok != (tc.want != "") {
			t.Errorf("%s in a mount of %s: %q, want %q", tc.group, tc.root, dir, tc.want)
		}
	}
}

func TestParseMembership(t *testing.T) {
	m := parseMembership("9:name=systemd:/\n4:memory:/x\n3:cpu,cpuacct:/\n0::/user.slice/a:b\n")
	if m.path != "/user.slice/a:b" || !boundToV1(m.v1, ctlMemory) || !boundToV1(m.v1, ctlCPU) || boundToV1(m.v1, ctlPids) {
		t.Errorf("got %+v", m)
	}
	if m := parseMembership("5:blkio:/\n"); m.path != "" || !boundToV1(m.v1, ctlIO) {
		t.Errorf("without version 2: %+v", m)
	}
}

func TestParsePressure(t *testing.T) {
	p, err := ParsePressure("some avg10=1.50 avg60=0.20 avg300=0.00 total=1234567\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=99\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Pressure{Some: Share{1.5, 0.2, 0, 1234567 * time.Microsecond}, Full: Share{0.1, 0, 0, 99 * time.Microsecond}}
	if p != want {
		t.Errorf("got %+v", p)
	}
	for _, text := range []string{"", "full avg10=0\n", "some avg10=x\n", "some avg10=NaN\n", "some avg10=101\n", "some total=-1\n"} {
		if _, err := ParsePressure(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestKeyed(t *testing.T) {
	text := "low 0\nhigh 7\noom_kill 2\noom 1\n"
	if keyed(text, "oom") != 1 || keyed(text, "oom_kill") != 2 || keyed(text, "high") != 7 || keyed(text, "absent") != 0 {
		t.Error("wrong numbers")
	}
	if single("max\n") != math.MaxUint64 || single("12\n") != 12 || single("x") != 0 {
		t.Error("wrong number")
	}
}

func TestMissingSaysWhatWhyAndWhatHelps(t *testing.T) {
	m := &Missing{What: "the memory controller", Why: "it is bound to cgroup v1", Hint: "boot otherwise"}
	if got := m.Error(); got != "missing: the memory controller: it is bound to cgroup v1 (boot otherwise)" {
		t.Error(got)
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add(hybrid)
	f.Add("1 2 0:3 / / rw - cgroup2")
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMounts(text) {
			if dir, ok := m.dir("/a/../../b"); ok && !strings.HasPrefix(dir, "/") && strings.HasPrefix(m.point, "/") {
				t.Errorf("%+v gives %q", m, dir)
			}
		}
		parseMembership(text)
	})
}

func FuzzParsePressure(f *testing.F) {
	f.Add("some avg10=1.50 avg60=0.20 avg300=0.00 total=1234567\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=99\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePressure(text)
		if err != nil {
			return
		}
		for _, s := range []Share{p.Some, p.Full} {
			if !(s.Avg10 >= 0 && s.Avg10 <= 100 && s.Total >= 0) {
				t.Errorf("%q gives %+v", text, s)
			}
		}
	})
}
