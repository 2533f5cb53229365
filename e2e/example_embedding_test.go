//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// TestExampleEmbedding: a program of another module, with a supervisor in it, loses
// nothing in a rollout that it was asked for over its own endpoint, replaces who was
// killed, is understood by the brood command, and leaves nobody behind.
func TestExampleEmbedding(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Program("go"))
	program := outsider(t, "embedding")
	ports := freePorts(t, 2)
	port, admin := ports[0], ports[1]
	b := launch(t, options{launch: func(ctx context.Context, argv ...string) *exec.Cmd {
		control := argv[slices.Index(argv, "--control")+1]
		return here(ctx, program, "-listen", address(port), "-admin", address(admin), "-control", control)
	}})
	tr := startTraffic(t, address(port))
	before := b.status().named("web").pids()
	if len(before) != 2 {
		t.Fatalf("its workers are %v", before)
	}
	said, code := request(t, http.MethodPost, admin, "/roll")
	if code != http.StatusOK || said != "pool web is at generation 2\n" {
		t.Errorf("a rollout ended with %d: %s", code, said)
	}
	tr.flawless(t)

	var snapshot status
	if said, _ = request(t, http.MethodGet, admin, "/status"); json.Unmarshal([]byte(said), &snapshot) != nil {
		t.Fatalf("its status is %s", said)
	}
	after := snapshot.named("web").pids()
	if len(after) != 2 || slices.ContainsFunc(after, func(pid int) bool { return slices.Contains(before, pid) }) {
		t.Errorf("the rollout replaced %v by %v", before, after)
	}
	if err := syscall.Kill(after[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.await("a successor of who was killed", func() bool {
		web := b.status().named("web")
		return web.Restarts == 1 && web.whole()
	})
	if said, _ = request(t, http.MethodGet, port, "/"); !strings.HasPrefix(said, "worker ") {
		t.Errorf("it serves %q", said)
	}

	left := b.status().named("web").pids()
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := b.code(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	for _, pid := range left {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("worker %d is left", pid)
		}
	}
	refused(t, port)
}

// outsider builds an example as a module of its own, which may import nothing that is
// internal, without a network: from the modules that this tree has.
func outsider(t *testing.T, name string) (program string) {
	t.Helper()
	dir, tree := t.TempDir(), absolute("..")
	write(t, filepath.Join(dir, "main.go"), read(t, filepath.Join(exampleDir(name), "main.go")))
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(tree, "go.sum")))
	write(t, filepath.Join(dir, "go.mod"), `module example.com/outsider

go 1.26.0

require github.com/broodctl/brood v0.0.0

replace github.com/broodctl/brood => `+tree+"\n")
	program = filepath.Join(site(t), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-mod=mod", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOPROXY=off", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build %s outside of the tree: %v\n%s", name, err, out)
	}
	return program
}

// request makes one request of a port here.
func request(t *testing.T, method string, port int, path string) (said string, code int) {
	t.Helper()
	return fetch(t, http.DefaultClient, method, "http://"+address(port)+path)
}
