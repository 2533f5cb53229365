//go:build e2e

package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
)

// container is a network with what runs in a folder as its root, in namespaces of its
// own and as nobody: all that an image from scratch is.
type container struct {
	t    *testing.T
	root string
	host string // its name
	ns   *testhost.NetNS
	run  *exec.Cmd
	out  string
}

// TestExampleContainer: brood is PID 1 where nothing else is, serves, is healthy, is
// rolled, and ends when what was asked before is answered.
func TestExampleContainer(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("unshare"))
	c := newContainer(t)
	example(t, "container/brood.toml", c.root, `delay = "5s"`, `delay = "500ms"`)
	c.start("/brood", "run", "-c", "/brood.toml")
	c.await("readiness", func() bool {
		text, status := c.get("9180", "/readyz")
		return status == http.StatusOK && text == "ok\n"
	})
	if text, _ := c.get("8080", "/"); !strings.HasPrefix(text, "hello from worker ") {
		t.Errorf("it served %q", text)
	}
	for _, words := range [][]string{{"healthcheck"}, {"status"}, {"roll", "--wait"}} {
		c.brood(words...)
	}

	conn := c.asksSlowly()
	c.stop()
	c.isAnswered(conn)
	for line := range strings.Lines(read(t, c.out)) {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}\n") {
			t.Errorf("a line is no object: %s", line)
		}
	}
}

// brood runs a command of brood inside.
func (c *container) brood(words ...string) {
	c.t.Helper()
	if out, err := c.inside(append([]string{"/brood"}, words...)...).CombinedOutput(); err != nil {
		c.t.Errorf("brood %q: %v\n%s", words, err, out)
	}
}

// asksSlowly makes a request that takes its time.
func (c *container) asksSlowly() net.Conn {
	c.t.Helper()
	conn, err := c.ns.Dial(c.t.Context(), "tcp", "127.0.0.1:8080")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /slow HTTP/1.0\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
	return conn
}

// isAnswered demands that it got its answer, although brood was told to stop.
func (c *container) isAnswered(conn net.Conn) {
	c.t.Helper()
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(answer), "\r\n\r\ndone\n") {
		c.t.Errorf("who was in hand at the stop got %q, %v", answer, err)
	}
}

func newContainer(t *testing.T) *container {
	t.Helper()
	c := &container{t: t, root: site(t), host: "container", ns: testhost.NewNetNS(t), out: filepath.Join(t.TempDir(), "out")}
	for _, dir := range []string{"proc", "dev", "run", "run/brood"} {
		if err := os.Mkdir(filepath.Join(c.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(c.root, "run/brood"), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	c.file("brood", broodBin())
	c.file("worker", filepath.Join(standIn(t, "worker", "../examples/worker"), "worker"))
	return c
}

// file puts a program into the image.
func (c *container) file(name, source string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.root, name), []byte(read(c.t, source)), 0o755); err != nil {
		c.t.Fatal(err)
	}
}

// start runs the first process. Whatever is in its pid namespace ends with unshare.
func (c *container) start(argv ...string) {
	c.t.Helper()
	const enter = `echo "$1" >/proc/sys/kernel/hostname && shift && mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/dev" && touch "$0/dev/null" && mount --bind /dev/null "$0/dev/null" &&
		exec chroot --userspec=65534:65534 "$0" "$@"`
	c.run = c.ns.Command(context.Background(), append([]string{
		"unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "sh", "-c", enter, c.root, c.host,
	}, argv...)...)
	out, err := os.Create(c.out)
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	c.run.Stdout, c.run.Stderr = out, out
	if err := c.run.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		for _, pid := range c.children() { // the signal of --kill-child is lost with the user that chroot takes
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = c.run.Process.Kill() // it may have ended
		_ = c.run.Wait()
		if c.t.Failed() {
			c.t.Logf("it said:\n%s", tail(c.out, 40))
		}
	})
}

// children are those of unshare: the first process inside, until it has ended.
func (c *container) children() []int { return childrenOf(c.run.Process.Pid) }

// childrenOf gives the children of a process with one thread, and none if it has ended.
func childrenOf(process int) []int {
	pid := strconv.Itoa(process)
	text, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return nil
	}
	var pids []int
	for word := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// first is the pid, here, of the first process inside.
func (c *container) first() int {
	c.t.Helper()
	pids := c.children()
	if len(pids) != 1 {
		c.t.Fatalf("unshare has the children %v", pids)
	}
	return pids[0]
}

// inside is a command as docker exec runs it.
func (c *container) inside(argv ...string) *exec.Cmd {
	return exec.CommandContext(c.t.Context(), "nsenter",
		append([]string{"-t", strconv.Itoa(c.first()), "--pid", "--net", "--", "chroot", "--userspec=65534:65534", c.root}, argv...)...)
}

// get asks a port of the container.
func (c *container) get(port, path string) (text string, status int) {
	client := &http.Client{Transport: &http.Transport{DialContext: c.ns.Dial, DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + net.JoinHostPort("127.0.0.1", port) + path)
	if err != nil {
		return err.Error(), 0
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error(), 0
	}
	return string(b), response.StatusCode
}

// stop is that of docker: TERM to the first process, which has to end by itself.
func (c *container) stop() {
	c.t.Helper()
	if err := syscall.Kill(c.first(), syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	if err := c.run.Wait(); err != nil {
		c.t.Errorf("it ended with %v", err)
	}
}

// await asks again and again: nothing tells when a port of another namespace answers.
func (c *container) await(what string, holds func() bool) {
	c.t.Helper()
	for deadline, look := time.After(patience), time.NewTicker(50*time.Millisecond); !holds(); {
		select {
		case <-look.C:
		case <-deadline:
			c.t.Fatalf("after %s still no %s", patience, what)
		}
	}
}
