//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testvm"
)

const (
	insideTime = 6 * time.Minute // for all, when a machine is busy and emulates the other
	insideDir  = "/opt"
)

// TestInside runs the tests with the build tag vm in a virtual machine, in one boot, and shows each as one of its own.
func TestInside(t *testing.T) {
	dir := t.TempDir()
	suites := []struct{ name, source, run string }{
		{"cgroup.test", "../internal/cgroup", "."},
		{"e2e.test", ".", "^TestVM"}, // the others need more than there is
	}
	files := map[string]string{
		insideDir + "/brood": broodBin(), insideDir + "/guest": guestBin(),
		insideDir + "/bangui.toml": filepath.Join(exampleDir("bangui"), "brood.toml"),
	}
	for _, suite := range suites {
		target := filepath.Join(dir, suite.name)
		build := exec.CommandContext(t.Context(), "go", "test", "-c", "-trimpath", "-ldflags", "-s -w", "-tags", "e2e,vm", "-o", target, suite.source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("cannot build %s: %v\n%s", suite.name, err, out)
		}
		files[insideDir+"/"+suite.name] = target
	}
	m := testvm.Boot(t, files)
	ctx, cancel := context.WithTimeout(t.Context(), insideTime)
	defer cancel()
	for _, suite := range suites {
		command := fmt.Sprintf("cd %[1]s && CI=true %[2]s=%[1]s/brood %[3]s=%[1]s/guest ./%[4]s -test.v -test.run '%[5]s' -test.timeout 3m",
			insideDir, broodEnv, guestEnv, suite.name, suite.run)
		r := &report{}
		code := m.Run(ctx, command, r.line)
		for _, s := range r.stories {
			t.Run(s.name, s.retell)
		}
		if len(r.stories) == 0 || code != 0 && !t.Failed() {
			t.Errorf("%s ended with %d and told:\n%s", suite.name, code, strings.Join(r.rest, "\n"))
		}
	}
}

// report is what the tests inside tell, line by line.
type report struct {
	stories []*story
	open    bool // the last one has no verdict yet
	rest    []string
}

// story is one test, with what its subtests told.
type story struct {
	name, verdict string
	lines         []string
}

var (
	storyBegins = regexp.MustCompile(`^=== RUN   ([^/]+)$`)
	storyEnds   = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): ([^/ ]+) \(.*\)$`)
)

// line takes one line of a test binary that was told -test.v.
func (r *report) line(line string) {
	if begin := storyBegins.FindStringSubmatch(line); begin != nil {
		r.stories, r.open = append(r.stories, &story{name: begin[1]}), true
		return
	}
	if !r.open {
		r.rest = append(r.rest, line)
		return
	}
	last := r.stories[len(r.stories)-1]
	last.lines = append(last.lines, line)
	if end := storyEnds.FindStringSubmatch(line); end != nil && end[2] == last.name {
		last.verdict, r.open = end[1], false
	}
}

// retell is the test out here. A skipped one did not pass: in there, nothing may be missing.
func (s *story) retell(t *testing.T) {
	t.Log(strings.Join(s.lines, "\n"))
	if s.verdict != "PASS" {
		t.Fail()
	}
}
