//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// nomadGroup is what the test looks at in the group of a job of Nomad's. Blocks are arrays.
type nomadGroup struct {
	Network []struct {
		Port []struct {
			Label  string
			Static int
		}
	}
	Service []struct {
		Port  string
		Check []struct{ Path, Port string }
	}
	Task []struct {
		Config []struct {
			Entrypoint, Args, Ports []string
		}
		Template []struct {
			Destination, Data string
			ChangeSignal      string `json:"change_signal"`
		}
		KillTimeout string `json:"kill_timeout"`
		Resources   []struct{ Cores, Memory int }
	}
}

// TestExampleNomad: the job is what Nomad takes, gives its brood the time, the memory and the files that it needs, and
// makes the same fleet as the DaemonSet.
func TestExampleNomad(t *testing.T) {
	group := nomadJob(t)
	task := group.Task[0]
	path, pod := filepath.Join(t.TempDir(), "brood.toml"), filepath.Join(t.TempDir(), "brood.toml")
	write(t, path, task.Template[0].Data)
	write(t, pod, find(t, manifests(t, "fleet"), "ConfigMap", "fleet").Data["brood.toml"])
	runBrood(t, "check", "-c", path)
	full, other := runBrood(t, "run", "-c", path, "--print-config"), runBrood(t, "run", "-c", pod, "--print-config")
	for _, key := range []string{"group", "prefix", "lease", "on_lost", "worker_ids"} {
		if said(t, full, key) != said(t, other, key) {
			t.Errorf("%s is %q here and %q in the DaemonSet", key, said(t, full, key), said(t, other, key))
		}
	}

	const most = 30 * time.Second // max_kill_timeout of a client that says nothing
	if grace := said(t, full, "stop_timeout"); task.KillTimeout != grace || grace != most.String() {
		t.Errorf("brood may take %s to stop, and has %s", grace, task.KillTimeout)
	}
	files := []string{task.Config[0].Args[len(task.Config[0].Args)-1]}
	for _, key := range []string{"cert", "key", "ca"} {
		files = append(files, said(t, full, key))
	}
	for i, file := range files {
		if at := "/" + task.Template[i].Destination; at != file {
			t.Errorf("template %d is written to %s, and read at %s", i, at, file)
		}
	}
	if first := task.Template[0]; first.ChangeSignal != "SIGHUP" {
		t.Errorf("another configuration is told by %q", first.ChangeSignal)
	}

	at := map[string]string{}
	for _, p := range group.Network[0].Port {
		at[p.Label] = fmt.Sprintf(":%d", p.Static)
	}
	if at[group.Service[0].Port] != said(t, full, "address") || len(task.Config[0].Ports) != len(at) {
		t.Errorf("the service is at %s of %v, brood at %s", group.Service[0].Port, at, said(t, full, "address"))
	}
	for _, check := range group.Service[0].Check {
		if at[check.Port] != said(t, full, "http") || !slices.Contains([]string{"/livez", "/readyz"}, check.Path) {
			t.Errorf("a check asks %s of %s", check.Path, check.Port)
		}
	}
	var c containerSpec
	c.Resources.Limits.CPU = strconv.Itoa(task.Resources[0].Cores)
	c.Resources.Limits.Memory = fmt.Sprintf("%dMi", task.Resources[0].Memory)
	c.hasRoom(t, full)
}

// nomadJob is the group of the job as Nomad's own types have read it.
func nomadJob(t *testing.T) nomadGroup {
	t.Helper()
	var file struct {
		SHA256 string
		Job    []struct {
			Type  string
			Group []nomadGroup
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../internal/nomadjob/job.json")), &file); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(read(t, filepath.Join(exampleDir("fleet"), "fleet.nomad.hcl"))))
	if file.SHA256 != hex.EncodeToString(sum[:]) {
		t.Fatal("the job has changed: go -C internal/nomadjob run . > internal/nomadjob/job.json")
	}
	if job := file.Job[0]; job.Type != "system" || len(job.Group) != 1 || len(job.Group[0].Task) != 1 {
		t.Fatalf("it is not one task on each node: %s", job.Type)
	}
	return file.Job[0].Group[0]
}
