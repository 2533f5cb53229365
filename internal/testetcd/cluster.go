package testetcd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience is longer than a member needs to start on a busy machine.
const Patience = 30 * time.Second

// Config is what the members are told.
type Config struct {
	Members int      // default 1
	Secure  bool     // https for clients, who have to have the certificates given as flags
	Flags   []string // more of them
}

// Cluster is some members that know each other.
type Cluster struct {
	t       testing.TB
	members []*member
}

// Start starts them, and ends them with the test. It needs the program etcd.
func Start(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	n := max(cfg.Members, 1)
	scheme := "http"
	if cfg.Secure {
		scheme = "https"
	}
	var peers []string
	ports := freePorts(t, 2*n)
	for i := range n {
		m := &member{
			t: t, name: fmt.Sprintf("m%d", i), dir: t.TempDir(),
			client: fmt.Sprintf("%s://127.0.0.1:%d", scheme, ports[2*i]), peer: fmt.Sprintf("http://127.0.0.1:%d", ports[2*i+1]),
		}
		peers = append(peers, m.name+"="+m.peer)
		c.members = append(c.members, m)
	}
	for _, m := range c.members {
		m.argv = append([]string{
			"--name", m.name, "--data-dir", filepath.Join(m.dir, "data"), "--logger", "zap", "--log-level", "warn",
			"--listen-client-urls", m.client, "--advertise-client-urls", m.client,
			"--listen-peer-urls", m.peer, "--initial-advertise-peer-urls", m.peer,
			"--initial-cluster", strings.Join(peers, ","), "--initial-cluster-token", t.Name(),
			// A lease cannot be shorter than one and a half elections. These allow one of a second.
			"--heartbeat-interval", "50", "--election-timeout", "500",
		}, cfg.Flags...)
	}
	t.Cleanup(func() {
		for i := range c.members {
			c.Kill(i)
		}
	})
	for i := range c.members {
		c.Begin(i)
	}
	for i := range c.members {
		c.AwaitReady(i)
	}
	return c
}

// Endpoints are the URLs for clients.
func (c *Cluster) Endpoints() []string {
	var urls []string
	for _, m := range c.members {
		urls = append(urls, m.client)
	}
	return urls
}

// Begin starts a member, which may take until others are there as well.
func (c *Cluster) Begin(i int) {
	c.t.Helper()
	if err := c.members[i].start(); err != nil {
		c.t.Fatal(err)
	}
}

// AwaitReady waits until a member serves.
func (c *Cluster) AwaitReady(i int) {
	c.t.Helper()
	if err := c.members[i].awaitReady(); err != nil {
		c.t.Fatalf("%v\n%s", err, c.members[i].log())
	}
}

// Log is what a member has written.
func (c *Cluster) Log(i int) string { return c.members[i].log() }

// Kill ends a member with SIGKILL. One that does not run is left alone.
func (c *Cluster) Kill(i int) { c.members[i].kill() }

// Freeze stops a member as it is, until Thaw.
func (c *Cluster) Freeze(i int) { c.members[i].signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (c *Cluster) Thaw(i int) { c.members[i].signal(syscall.SIGCONT) }

// Leader is the member that leads, or -1 where none says so.
func (c *Cluster) Leader() int {
	for i, m := range c.members {
		var status struct {
			Header struct {
				MemberID string `json:"member_id"`
			} `json:"header"`
			Leader string `json:"leader"`
		}
		client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := client.Post(m.client+"/v3/maintenance/status", "application/json", bytes.NewBufferString("{}"))
		if err != nil {
			continue
		}
		err = json.NewDecoder(r.Body).Decode(&status)
		r.Body.Close()
		if err == nil && status.Leader != "" && status.Leader == status.Header.MemberID {
			return i
		}
	}
	return -1
}

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all are open until each has another one
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
