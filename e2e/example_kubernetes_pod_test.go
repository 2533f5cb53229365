//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// TestExampleKubernetesPod runs what the Deployment says, and asks what its probes ask.
func TestExampleKubernetesPod(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("unshare"))
	objects := manifests(t, "kubernetes")
	spec := find(t, objects, "Deployment", "app").Spec.Template.Spec.Containers[0]
	config := find(t, objects, "ConfigMap", "app").Data["brood.toml"]
	c, etc := newPod(t, config)
	c.start(spec.Command...)
	probes := strconv.Itoa(spec.port(spec.ReadinessProbe.HTTPGet.Port))
	answers := func(path string) bool { _, status := c.get(probes, path); return status == http.StatusOK }
	c.await("start", func() bool { return answers(spec.StartupProbe.HTTPGet.Path) })
	for _, path := range []string{spec.LivenessProbe.HTTPGet.Path, spec.ReadinessProbe.HTTPGet.Path} {
		if !answers(path) {
			t.Errorf("%s says no", path)
		}
	}
	for _, words := range [][]string{{"status"}, {"reload"}} { // kubectl exec POD -- /brood status
		c.brood(words...)
	}
	mount(t, etc, "..2", strings.Replace(config, `workers = "cpus"`, `workers = "cpus+1"`, 1)) // kubectl edit configmap app
	for _, verb := range []string{"plan", "reload"} {
		out, err := c.inside("/brood", verb).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "scaled") {
			t.Errorf("of a changed ConfigMap brood %s says %v\n%s", verb, err, out)
		}
	}
	conn := c.asksSlowly()
	c.await("a worker that has taken the request", func() bool { return c.accepted(8080) }) // preStop has that time
	if err := syscall.Kill(c.first(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.await("readiness that ends", func() bool { return !answers(spec.ReadinessProbe.HTTPGet.Path) })
	c.isAnswered(conn)
	if err := c.run.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// newPod is a container with what the volumes of our pods have, and the directory of its ConfigMap.
func newPod(t *testing.T, config string) (c *container, etc string) {
	t.Helper()
	c = newContainer(t)
	etc = filepath.Join(c.root, "etc/brood")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	mount(t, etc, "..1", config)
	run := filepath.Join(c.root, "run/brood")
	if err := os.Chown(run, 0, nobody); err != nil { // an emptyDir with fsGroup
		t.Fatal(err)
	}
	if err := os.Chmod(run, 0o777|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	return c, etc
}

// mount lays a ConfigMap out as the kubelet does: the file is a link through ..data, which
// is put in place of the last one.
func mount(t *testing.T, dir, version, config string) {
	t.Helper()
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, version), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, version, "brood.toml"), config)
	link(version, "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	link("..data/brood.toml", "brood.toml")
}

// accepted tells whether a port of the container has a connection, and none that waits:
// who is still in a queue has no inode.
func (c *container) accepted(port int) bool {
	local, found := fmt.Sprintf(":%04X", port), false
	for _, table := range []string{"tcp", "tcp6"} {
		for line := range strings.Lines(read(c.t, fmt.Sprintf("/proc/%d/net/%s", c.first(), table))) {
			const at, state, inode, established = 1, 3, 9, "01"
			fields := strings.Fields(line)
			if !strings.HasSuffix(fields[at], local) || fields[state] != established {
				continue
			}
			if found = true; fields[inode] == "0" {
				return false
			}
		}
	}
	return found
}
