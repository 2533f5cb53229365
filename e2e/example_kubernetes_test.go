//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// object is what the tests look at in an object of Kubernetes.
type object struct {
	APIVersion, Kind string
	Metadata         struct {
		Name   string
		Labels map[string]string
	}
	Data map[string]string // of a ConfigMap
	Spec struct {
		Selector any // labels, or matchLabels around them
		Ports    []struct{ TargetPort string }
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
	}
}

type podSpec struct {
	TerminationGracePeriodSeconds int
	Containers                    []containerSpec
	Volumes                       []struct {
		Name      string
		ConfigMap struct{ Name string }
		Secret    struct{ SecretName string }
	}
}

type containerSpec struct {
	Command, Args []string
	Ports         []struct {
		Name          string
		ContainerPort int
	}
	StartupProbe, LivenessProbe, ReadinessProbe probeSpec

	Lifecycle struct {
		PreStop struct{ Sleep struct{ Seconds int } }
	}
	Resources struct{ Limits struct{ CPU, Memory string } }

	VolumeMounts []struct{ Name, MountPath string }
}

type probeSpec struct {
	HTTPGet                         struct{ Path, Port string }
	PeriodSeconds, FailureThreshold int
}

// TestExampleKubernetes: the objects are what the API takes, fit together, and give a
// pod the time that its brood needs.
func TestExampleKubernetes(t *testing.T) {
	for _, pod := range []struct{ example, config, kind, name string }{
		{"kubernetes", "app", "Deployment", "app"},
		{"kubernetes", "app", "StatefulSet", "numbered"},
		{"fleet", "fleet", "DaemonSet", "fleet"},
	} {
		t.Run(pod.kind, func(t *testing.T) {
			objects := manifests(t, pod.example)
			config := find(t, objects, "ConfigMap", pod.config).Data["brood.toml"]
			workload, service := find(t, objects, pod.kind, pod.name), find(t, objects, "Service", pod.name)
			labels := workload.Spec.Template.Metadata.Labels
			if want := (map[string]any{"matchLabels": toAny(labels)}); fmt.Sprint(workload.Spec.Selector) != fmt.Sprint(want) {
				t.Errorf("it selects %v, its pods have %v", workload.Spec.Selector, labels)
			}
			if fmt.Sprint(service.Spec.Selector) != fmt.Sprint(toAny(labels)) {
				t.Errorf("its service selects %v, its pods have %v", service.Spec.Selector, labels)
			}
			spec := workload.Spec.Template.Spec
			c := &spec.Containers[0]
			if port := c.port(service.Spec.Ports[0].TargetPort); port != 8080 {
				t.Errorf("the service leads to port %d", port)
			}
			var volumes, mounts []string
			for _, v := range spec.Volumes {
				volumes = append(volumes, v.Name)
				if name := v.ConfigMap.Name; name != "" {
					find(t, objects, "ConfigMap", name)
				}
				if name := v.Secret.SecretName; name != "" && !strings.Contains(read(t, filepath.Join(exampleDir(pod.example), "README.md")), "secret generic "+name+" ") {
					t.Errorf("README.md does not say how Secret %s is made", name)
				}
			}
			for _, m := range c.VolumeMounts {
				mounts = append(mounts, m.Name)
			}
			if !slices.Equal(volumes, mounts) {
				t.Errorf("it mounts %q of the volumes %q", mounts, volumes)
			}
			c.fits(t, config, spec.TerminationGracePeriodSeconds)
		})
	}
}

// fits demands that a container has the time and the memory that its brood may take.
func (c *containerSpec) fits(t *testing.T, config string, grace int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "brood.toml")
	if c.Args == nil {
		if mount := filepath.Dir(c.Command[len(c.Command)-1]); c.VolumeMounts[0].MountPath != mount {
			t.Errorf("the configuration is mounted at %s, and read in %s", c.VolumeMounts[0].MountPath, mount)
		}
	} else {
		for index, ids := range map[string]string{"0": "00-09", "101": "1010-1019", "3": "30-39"} {
			if config = c.pod(t, index); said(t, config, "worker_ids") != ids {
				t.Errorf("pod %s has other worker ids:\n%s", index, config)
			}
			write(t, path, config)
			runBrood(t, "check", "-c", path)
		}
	}
	write(t, path, config)
	runBrood(t, "check", "-c", path)
	budget := regexp.MustCompile(`TimeoutStopSec=(\d+)`).FindStringSubmatch(runBrood(t, "units", "-c", path))
	stop, err := strconv.Atoi(budget[1])
	if err != nil {
		t.Fatal(err)
	}
	if want := stop + c.Lifecycle.PreStop.Sleep.Seconds; grace != want {
		t.Errorf("terminationGracePeriodSeconds is %d, but preStop and brood need %d", grace, want)
	}
	full := runBrood(t, "run", "-c", path, "--print-config")
	c.asks(t, full)
	c.hasRoom(t, full)
	if shares(config) {
		dir := c.mountOf("etcd")
		for _, file := range []string{"ca", "cert", "key"} {
			if at := filepath.Dir(said(t, full, file)); at != dir {
				t.Errorf("the Secret is mounted at %s, and %s is read in %s", dir, file, at)
			}
		}
	}
}

// shares reports whether a brood waits for others before its workers start.
func shares(config string) bool { return strings.Contains(config, "[coordination]") }

// asks demands that the probes ask what brood answers, and no pod is restarted because it waits for others.
func (c *containerSpec) asks(t *testing.T, full string) {
	t.Helper()
	probes := map[string]probeSpec{"/startupz": c.StartupProbe, "/livez": c.LivenessProbe, "/readyz": c.ReadinessProbe}
	if shares(full) {
		if c.StartupProbe.HTTPGet.Path != "" {
			t.Error("there is a startup probe")
		}
		delete(probes, "/startupz")
	}
	for path, p := range probes {
		if at := fmt.Sprintf(":%d", c.port(p.HTTPGet.Port)); p.HTTPGet.Path != path || at != said(t, full, "http") {
			t.Errorf("a probe asks %s of %s, not %s of %s", p.HTTPGet.Path, at, path, said(t, full, "http"))
		}
	}
	timeout, err := time.ParseDuration(said(t, full, "ready_timeout"))
	if err != nil {
		t.Fatal(err)
	}
	if p, there := probes["/startupz"]; there && time.Duration(p.PeriodSeconds*p.FailureThreshold)*time.Second < timeout {
		t.Errorf("the startup probe gives a worker less than the %s that brood does", timeout)
	}
}

// hasRoom demands room for the workers of all pools, one more of each in a rollout, and brood, in MB and MiB.
func (c *containerSpec) hasRoom(t *testing.T, full string) {
	t.Helper()
	cpus, _ := strconv.Atoi(c.Resources.Limits.CPU)
	workers := 0
	for _, pool := range regexp.MustCompile(`(?m)^workers = (.*)$`).FindAllStringSubmatch(full, -1) {
		n, err := strconv.Atoi(pool[1])
		if err != nil {
			n = cpus
		}
		workers += n + 1
	}
	most, _ := strconv.Atoi(strings.TrimSuffix(said(t, full, "max_memory"), "M"))
	limit, _ := strconv.Atoi(strings.TrimSuffix(c.Resources.Limits.Memory, "Mi"))
	if need := workers*most + 64; cpus == 0 || most == 0 || limit < need {
		t.Errorf("%s of memory are less than the %dMi that %d workers of %dM and brood may have", c.Resources.Limits.Memory, need, workers, most)
	}
}

// mountOf is where a volume is seen.
func (c *containerSpec) mountOf(volume string) string {
	for _, m := range c.VolumeMounts {
		if m.Name == volume {
			return m.MountPath
		}
	}
	return ""
}

// pod is the configuration that the flags of a container come to in the pod of an ordinal.
func (c *containerSpec) pod(t *testing.T, index string) string {
	t.Helper()
	argv := append(slices.Clone(c.Command[1:]), append([]string{"--print-config"}, c.Args...)...)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "$(POD_INDEX)", index)
	}
	return runBrood(t, argv...)
}

// manifests are all objects of an example, each of which is what the API takes.
func manifests(t *testing.T, example string) []object {
	t.Helper()
	schema := filepath.Join("..", "internal", "kubeschema", "schema.json")
	files, err := filepath.Glob(filepath.Join(exampleDir(example), "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	var all []object
	for _, file := range files {
		for decoder := yaml.NewDecoder(strings.NewReader(read(t, file))); ; {
			var document map[string]any
			err := decoder.Decode(&document)
			if err == io.EOF { //nolint:errorlint // as io.Reader has it
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			kind := fmt.Sprintf("%s/%s", document["apiVersion"], document["kind"])
			text, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			types, err := jsonschema.NewCompiler().Compile(schema + "#/properties/" + strings.ReplaceAll(kind, "/", "~1"))
			if err != nil {
				t.Fatalf("%s has a %s: %v", file, kind, err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := types.Validate(value); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			var o object
			if err := json.Unmarshal(text, &o); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, o)
		}
	}
	return all
}

func find(t *testing.T, objects []object, kind, name string) *object {
	t.Helper()
	i := slices.IndexFunc(objects, func(o object) bool { return o.Kind == kind && o.Metadata.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s %s", kind, name)
	}
	return &objects[i]
}

// port is the number of a port by its name; 0 if there is none.
func (c *containerSpec) port(name string) int {
	for _, p := range c.Ports {
		if p.Name == name {
			return p.ContainerPort
		}
	}
	return 0
}

func toAny(labels map[string]string) map[string]any {
	all := map[string]any{}
	for name := range maps.Keys(labels) {
		all[name] = labels[name]
	}
	return all
}

// runBrood runs a command of brood that needs no supervisor.
func runBrood(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), broodBin(), words...).CombinedOutput()
	if err != nil {
		t.Fatalf("brood %q: %v\n%s", words, err, out)
	}
	return string(out)
}

// said is the value of a key in a configuration.
func said(t *testing.T, config, key string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + key + ` = "(.*)"$`).FindStringSubmatch(config)
	if found == nil {
		t.Fatalf("there is no %s:\n%s", key, config)
	}
	return found[1]
}
