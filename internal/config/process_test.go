package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/worker"
)

func TestProcess(t *testing.T) {
	settings := func(get func(worker.Settings) any) func(*Config) any {
		return pool(func(p Pool) any { return get(p.Settings) })
	}
	keys(t, poolHead, "process.nice", settings(func(s worker.Settings) any { return *s.Nice }), map[string]any{`-20`: -20, `0`: 0, `19`: 19},
		"it is a number from -20 to 19", `-21`, `20`, `99999999999`)
	keys(t, poolHead, "process.nice", settings(nil), nil, "nice is a number, not a string", `"5"`)
	keys(t, poolHead, "process.oom_score_adj", settings(func(s worker.Settings) any { return *s.OOMScoreAdj }), map[string]any{`-1000`: -1000, `0`: 0, `1000`: 1000},
		"it is a number from -1000 to 1000", `-1001`, `1001`)
	keys(t, poolHead, "process.ioprio", settings(func(s worker.Settings) any { return s.IOPriority.String() }),
		map[string]any{`"idle"`: "idle", `"best-effort:4"`: "best-effort:4", `"realtime:0"`: "realtime:0"}, "cannot read ioprio",
		`"idle:0"`, `"realtime"`, `"realtime:"`, `"realtime:8"`, `"realtime:-1"`, `"best-effort:+1"`, `"none:0"`)
	keys(t, poolHead, "process.no_new_privs", settings(func(s worker.Settings) any { return s.NoNewPrivs }), map[string]any{`true`: true, `false`: false},
		"no_new_privs is true or false, not", `"true"`, `1`)
	keys(t, poolHead, "process.capabilities", settings(func(s worker.Settings) any { return s.Capabilities.String() }), map[string]any{
		`[]`: "none", `["KILL"]`: "KILL", `["cap_bpf", "CHOWN"]`: "CHOWN, BPF",
	}, "capabilit", `["ALL"]`, `["KILL", "CAP_KILL"]`, `[""]`, `"KILL"`)
	keys(t, poolHead, "process.cpus", settings(func(s worker.Settings) any { return s.CPUs }), map[string]any{
		`"spread"`: [][]int{{0}, {1}, {3}, {8}}, `"nodes"`: [][]int{{0, 1}, {3, 8}}, `"node:1"`: [][]int{{3, 8}}, `"8,0-1,0"`: [][]int{{0, 1, 8}},
	}, "cpus", `"0-3"`, `"2"`, `"node:2"`, `"node:"`, `"node:+1"`, `"3-1"`, `"1024"`, `"0,"`, `"-"`, `"0--1"`, `"all"`, `""`, `3`)
	if c, err := read(poolHead, brokenWorld()); err != nil || !cmp.Equal(c.Pools[0].Settings, worker.Settings{}) {
		t.Errorf("settings by default: %+v, %v", c.Pools[0].Settings, err)
	}
}

// Who only looks at a file does not need the machine that it is for.
func TestCPUsOfAnotherMachine(t *testing.T) {
	w := brokenWorld()
	w.Processors = nil
	c, err := read(poolHead+"process.cpus = \"100-131\"\n", w)
	if err != nil {
		t.Fatal(err)
	}
	same, err := read(poolHead+"process.cpus = \"100-110,111-131\"\n", w)
	other, err2 := read(poolHead+"process.cpus = \"node:100\"\n", w)
	if err != nil || err2 != nil || !cmp.Equal(c.Pools[0].Settings, same.Pools[0].Settings) || cmp.Equal(c.Pools[0].Settings, other.Pools[0].Settings) {
		t.Errorf("%+v, %+v, %+v, %v, %v", c, same, other, err, err2)
	}
	w.Processors = func() (Processors, error) { return Processors{}, os.ErrPermission }
	if _, err := read(poolHead+"process.cpus = \"0\"\n", w); err == nil || !strings.Contains(err.Error(), "cannot find out which CPUs there are: permission denied") {
		t.Errorf("got %v", err)
	}
}

func TestReadNodes(t *testing.T) {
	dir := t.TempDir()
	for node, list := range map[string]string{"node0": "0-1,4\n", "node2": "2-3\n", "node7": "\n", "node8": "9\n", "nodes": "5\n"} {
		if err := os.Mkdir(filepath.Join(dir, node), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, node, "cpulist"), []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readNodes(dir, []int{0, 2, 3, 4})
	if diff := cmp.Diff(map[int][]int{0: {0, 4}, 2: {2, 3}}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	got, err = readNodes(filepath.Join(dir, "none"), []int{0, 2})
	if diff := cmp.Diff(map[int][]int{0: {0, 2}}, got); err != nil || diff != "" {
		t.Errorf("without NUMA: %v %s", err, diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "node8", "cpulist"), []byte("9-\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readNodes(dir, []int{0}); !errors.Is(err, errCPUList) {
		t.Errorf("got %v", err)
	}
}

func TestProcessorsOfThisMachine(t *testing.T) {
	p, err := ReadProcessors()
	if err != nil || len(p.Allowed) == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	var all []int
	for _, node := range p.Nodes {
		all = append(all, node...)
	}
	if all = distinct(all); !slices.Equal(all, p.Allowed) {
		t.Errorf("the nodes have %v, but allowed are %v", all, p.Allowed)
	}
}

// FuzzCPUList: a list is in order, each once, and means the same when it is written number by number.
func FuzzCPUList(f *testing.F) {
	for _, text := range []string{"0", "0-3,8", "3,1", "0-1023", "1-0", "", ",", "0-1024", "-1", "00-01", "1-2-3", "9999999999999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseCPUList(text)
		if err != nil {
			return
		}
		if len(list) == 0 || list[0] < 0 || list[len(list)-1] > maxCPU || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Fatalf("%q: %v", text, list)
		}
		p, err := parsePlacement(text)
		if err != nil || p.how != listed || !slices.Equal(p.list, list) {
			t.Fatalf("%q: %+v, %v", text, p, err)
		}
	})
}
