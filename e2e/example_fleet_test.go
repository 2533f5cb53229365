//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testetcd"
	"github.com/broodctl/brood/internal/testhost"
)

// TestExampleFleet runs two pods of the DaemonSet with an etcd that takes nobody without a certificate: no worker id is
// there twice, one pod has the scheduler, and the other one has it as soon as that pod is deleted.
func TestExampleFleet(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("unshare"), testhost.Program("etcd"))
	f := newFleet(t)
	pods := []*container{f.pod("fleet-7c2xk"), f.pod("fleet-q9d4m")}
	first := pods[0]
	first.await("life", func() bool { return f.asks(first, f.spec.LivenessProbe) })
	if f.asks(first, f.spec.ReadinessProbe) {
		t.Error("a pod is ready that has no way to etcd")
	}
	seen := map[int]string{}
	for _, c := range pods {
		testetcd.NewWayFrom(t, c.ns.Listen("tcp", inPod), f.etcd)
		c.await("readiness", func() bool { return f.asks(c, f.spec.ReadinessProbe) })
		for _, w := range f.status(c).named("web").Workers {
			if other := seen[w.WorkerID]; other != "" || w.PID == 0 || w.WorkerID > 1023 {
				t.Errorf("a worker of %s has id %d, as one of %q has", c.host, w.WorkerID, other)
			}
			seen[w.WorkerID] = c.host
		}
	}
	leads := func(c *container) bool { return f.status(c).named("scheduler").Ready == 1 }
	slices.SortFunc(pods, func(a, b *container) int {
		if leads(a) {
			return -1
		}
		return 1
	})
	leader, next := pods[0], pods[1]
	if !leads(leader) || leads(next) {
		t.Fatalf("%s and %s lead: %t and %t", leader.host, next.host, leads(leader), leads(next))
	}
	if text, err := next.inside("/brood", "status").Output(); err != nil || !strings.Contains(string(text), "held by fleet on "+leader.host+",") {
		t.Errorf("%s does not say that %s leads: %v\n%s", next.host, leader.host, err, text)
	}

	deleted := time.Now()
	leader.stop() // what kubelet does after preStop
	next.await("the scheduler in the pod that is left", func() bool { return leads(next) })
	if took := time.Since(deleted); took >= soon {
		t.Errorf("it had the scheduler only %s after the other pod was deleted", took)
	} else {
		t.Logf("the scheduler was handed over within %s", took)
	}
	next.stop()
}

// fleet is what all pods have in common.
type fleet struct {
	t            *testing.T
	spec         containerSpec
	config       string
	certificates testetcd.Certificates
	etcd         string // its endpoint
}

const (
	inPod = "127.0.0.1:2379" // where a pod finds etcd
	soon  = 10 * time.Second // half of the lease: who had to wait for its end would take longer
)

func newFleet(t *testing.T) *fleet {
	t.Helper()
	objects := manifests(t, "fleet")
	f := &fleet{
		t: t, spec: find(t, objects, "DaemonSet", "fleet").Spec.Template.Spec.Containers[0],
		config: find(t, objects, "ConfigMap", "fleet").Data["brood.toml"], certificates: testetcd.NewCertificates(t),
	}
	f.etcd = testetcd.Start(t, testetcd.Config{Secure: true, Flags: f.certificates.Flags()}).Endpoints()[0]
	return f
}

// pod starts one of that name.
func (f *fleet) pod(name string) *container {
	f.t.Helper()
	const first = `"https://etcd1.example.com:2379", "https://etcd2.example.com:2379", "https://etcd3.example.com:2379"`
	if !strings.Contains(f.config, first) {
		f.t.Fatalf("the configuration does not say %s", first)
	}
	c, _ := newPod(f.t, strings.Replace(f.config, first, `"https://`+inPod+`"`, 1))
	c.host = name
	secret := filepath.Join(c.root, f.spec.mountOf("etcd"))
	if err := os.Mkdir(secret, 0o755); err != nil {
		f.t.Fatal(err)
	}
	files := map[string]string{"ca.crt": f.certificates.CA, "tls.crt": f.certificates.Client, "tls.key": f.certificates.ClientKey}
	for file, source := range files {
		path := filepath.Join(secret, file)
		if err := os.WriteFile(path, []byte(read(f.t, source)), 0o440); err != nil {
			f.t.Fatal(err)
		}
		if err := os.Chown(path, 0, nobody); err != nil { // defaultMode, with fsGroup
			f.t.Fatal(err)
		}
	}
	c.start(f.spec.Command...)
	return c
}

// asks has a probe ask.
func (f *fleet) asks(c *container, p probeSpec) bool {
	_, status := c.get(strconv.Itoa(f.spec.port(p.HTTPGet.Port)), p.HTTPGet.Path)
	return status == http.StatusOK
}

func (f *fleet) status(c *container) status {
	f.t.Helper()
	text, err := c.inside("/brood", "status", "--output", "json").CombinedOutput()
	if err != nil {
		f.t.Fatalf("brood status in %s: %v\n%s", c.host, err, text)
	}
	return parseStatus(f.t, string(text))
}
