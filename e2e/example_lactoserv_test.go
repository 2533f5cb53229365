//go:build e2e

package e2e

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testhost"
)

// lactoserv is the example with ports that nft leads to it, on a machine of its own.
type lactoserv struct {
	*managed
	cable *testhost.Cable
	dir   string // of everything
}

// goodbye is what it says when it has been told to leave for the fourth time.
const goodbye = "Not waiting for clean shutdown. Bye!"

// TestExampleLactoserv runs the example as it is, but for another user, three workers
// and shorter times, as an ordinary user on ports that anybody may open.
func TestExampleLactoserv(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("nft"), testhost.Program("setpriv"), testhost.Program("node"), testhost.Program("openssl"))
	current(t, "lactoserv/redirect.toml", map[string][]string{"redirect.nft": {"nft"}})
	current(t, "lactoserv/brood.toml", nil)
	currentSockets(t)
	l := startLactoserv(t)
	dumped := l.dumps(t) // takes its time
	l.serves(t)
	l.reloads(t)
	dumped()
	l.rolls(t)
	l.dies(t)
	l.hurries(t)
	l.ends(t)
}

// currentSockets: the units that lie beside the example are those of its configuration.
func currentSockets(t *testing.T) {
	t.Helper()
	dir, example := t.TempDir(), exampleDir("lactoserv")
	if out, err := here(t.Context(), broodBin(), "units", "-c", filepath.Join(example, "brood.toml"), "--sockets",
		"--binary", "/usr/local/bin/brood", "--output-dir", dir, "--yes").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("units: %v, %v", files, err)
	}
	for _, file := range files {
		want := strings.ReplaceAll(read(t, filepath.Join(dir, file.Name())), example, "/etc/lactoserv")
		if got := read(t, filepath.Join(example, file.Name())); got != want {
			t.Errorf("%s is not what brood units writes:\n%s", file.Name(), want)
		}
	}
}

func startLactoserv(t *testing.T) *lactoserv {
	t.Helper()
	l := &lactoserv{cable: testhost.Wire(t), dir: site(t)}
	l.lay(t)
	path := example(t, "lactoserv/redirect.toml", l.dir,
		"user = \"lactoserv\"\n", "", "/opt/lactoserv", filepath.Join(l.dir, "stand-in"), "/etc/lactoserv", l.dir,
		"/var/lib/lactoserv", filepath.Join(l.dir, "slot"), "127.0.0.1:9180", "unix:"+filepath.Join(l.dir, "home", "http.sock"),
		`"journald"`, `"prefix"`, "workers = 4", "workers = 3", "max_surge = 2", `max_surge = 3, settle = "300ms"`,
	)
	l.cable.Server.Must("nft", "-f", filepath.Join(exampleDir("lactoserv"), "redirect.nft"))
	l.managed = &managed{path: path, brood: launch(t, options{
		file: path, launch: unprivileged(l.cable.Server), uid: nobody, env: []string{"HOME=" + filepath.Join(l.dir, "home"), "STAND_IN_LIMIT=800"},
	})}
	return l
}

// lay puts in place what a user has: the program, a site, a certificate and the
// directories of the slots, of which two may not be written in.
func (l *lactoserv) lay(t *testing.T) {
	t.Helper()
	unpack(t, filepath.Join(l.dir, "stand-in"))
	for _, dir := range []string{"website", "other", "home", "slot/0", "slot/1", "slot/2"} {
		if err := os.MkdirAll(filepath.Join(l.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"home", "slot/2"} {
		if err := os.Chown(filepath.Join(l.dir, dir), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(l.dir, "website/index.html"), "one\n")
	write(t, filepath.Join(l.dir, "other/index.html"), "two\n")
	if out, err := here(t.Context(), "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-subj", "/CN=localhost", "-keyout", filepath.Join(l.dir, "key.pem"), "-out", filepath.Join(l.dir, "cert.pem")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(filepath.Join(l.dir, "key.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	l.configure(t, "website")
}

// unpack puts the program in place, for everybody.
func unpack(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(exampleDir("lactoserv"), "stand-in"))); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chmod(path, 0o755)) // past the umask
	}); err != nil {
		t.Fatal(err)
	}
}

// configure writes its configuration, for one of the sites.
func (l *lactoserv) configure(t *testing.T, name string) {
	t.Helper()
	example(t, "lactoserv/config.mjs", l.dir, "/srv/website", filepath.Join(l.dir, name))
}

func (l *lactoserv) pool() pool { return l.status().named("lactoserv") }

// public is an address of the machine as others see it.
func (l *lactoserv) public(port string) string { return net.JoinHostPort(l.cable.ServerIP, port) }

func (l *lactoserv) load(t *testing.T) *loadgen.Load {
	t.Helper()
	return startLoad(t, l.public("80"), func(c *loadgen.Config) { c.Dial = l.cable.Remote.Dial })
}

// get asks from another machine.
func (l *lactoserv) get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: l.cable.Remote.Dial, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	text, _ := fetch(t, client, http.MethodGet, url)
	return text
}

// serves: one address for all workers, on 80 and 443, from everywhere.
func (l *lactoserv) serves(t *testing.T) {
	for name, got := range map[string]map[int]int{
		"remote":   from(t, l.cable.Remote, l.public("80"), 100),
		"local":    from(t, l.cable.Server, l.public("80"), 100),
		"loopback": from(t, l.cable.Server, "127.0.0.1:80", 100),
	} {
		if len(got) != 3 {
			t.Errorf("a %s client reached the slots %v", name, got)
		}
	}
	if text := l.get(t, "https://"+l.public("443")); text != "one\n" {
		t.Errorf("port 443 says %q", text)
	}
	environ := read(t, fmt.Sprintf("/proc/%d/environ", l.pool().Workers[1].PID))
	for _, variable := range []string{`LACTOSERV_FDS={"http":"/dev/fd/3","https":"/dev/fd/4"}`, "LACTOSERV_SERVICE_NAME=lactoserv"} {
		if !strings.Contains(environ, variable+"\x00") {
			t.Errorf("a worker has no %s", variable)
		}
	}
}

// reloads: HUP takes a good configuration and keeps the old one when the new one is bad;
// a rollout to a bad one goes back and says why.
func (l *lactoserv) reloads(t *testing.T) {
	before := l.pool().pids()
	hangup := func(said string) {
		t.Helper()
		if err := l.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		l.awaitOutput("lactoserv: "+said, 3)
	}
	l.configure(t, "other")
	hangup("reloaded")
	write(t, filepath.Join(l.dir, "config.mjs"), "export default {")
	hangup("not reloaded: Unexpected end of input")
	if _, said, code := l.verb("roll"); code != 1 || !strings.Contains(said, "Unexpected end of input") {
		t.Errorf("a rollout to a bad configuration ended with %d: %s", code, said)
	}
	l.await("the old workers alone", l.whole)
	l.configure(t, "other")
	if text := l.get(t, "http://"+l.public("80")); text != "two\n" {
		t.Errorf("after the reloads it says %q", text)
	}
	if after := l.pool().pids(); !slices.Equal(before, after) {
		t.Errorf("the reloads replaced %v by %v", before, after)
	}
}

// dumps: each worker writes where it may, also where others write, and no two into one file. They come one after the
// other; who calls what it returns waits for the last.
func (l *lactoserv) dumps(t *testing.T) (dumped func()) {
	before := l.pool().pids()
	if err := l.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		l.awaitOutput("lactoserv: dumped to ", 3)
		for dir, want := range map[string]int{"home": 2, "slot/0": 0, "slot/1": 0, "slot/2": 1} {
			files, err := filepath.Glob(filepath.Join(l.dir, dir, "lactoserv-????-??-??_??????.heapsnapshot"))
			if err != nil || len(files) != want {
				t.Errorf("in %s: %q, %v, want %d", dir, files, err, want)
			}
			for _, file := range files {
				complete(t, file)
			}
		}
		if after := l.pool().pids(); !slices.Equal(before, after) {
			t.Errorf("the dumps replaced %v by %v", before, after)
		}
	}
}

// stall begins a request that never ends, on a connection whose worker has said who it is.
func (l *lactoserv) stall(t *testing.T) (w worker) {
	t.Helper()
	conn, err := l.cable.Remote.Dial(t.Context(), "tcp", l.public("80"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(response.Header.Get(loadgen.WorkerHeader), "slot=%d id=%d pid=%d", &w.Slot, &w.WorkerID, &w.PID); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
	if said, err := reader.ReadString('\n'); err != nil || said != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%v: %s", err, said)
	}
	return w
}

// rolls: no request fails, and a client that hangs holds its worker for as long as that
// gives itself, which is less than the grace.
func (l *lactoserv) rolls(t *testing.T) {
	victim := l.stall(t)
	load := l.load(t)
	l.must("roll", "--wait")
	l.await("the end of the incumbents", l.whole)
	result := load.Stop()
	if result.Failed() != 0 || len(result.PIDs()) != 6 {
		t.Errorf("under a rollout:\n%s", &result)
	}
	t.Logf("a rollout: %d of %d requests failed", result.Failed(), result.Requests())
	if end := l.died(victim.PID); end.Exit != "exit 1" || end.Cause != "stopped" {
		t.Errorf("who had the request that hung ended like this: %+v", end)
	}
}

// dies: what fails is what the dead worker had accepted.
func (l *lactoserv) dies(t *testing.T) {
	load := l.load(t)
	for slot := range 2 {
		if err := syscall.Kill(l.pool().Workers[slot].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		l.await("a successor", func() bool { return l.pool().Restarts == slot+1 && l.whole() })
	}
	result := load.Stop()
	if result.Failed() > 2*8 || result.OK() == 0 {
		t.Errorf("under two deaths:\n%s", &result)
	}
	t.Logf("two deaths: %d of %d requests failed", result.Failed(), result.Requests())
}

// fourTimes signals a process, each time when the worker has heard of the last one.
func (l *lactoserv) fourTimes(t *testing.T, w worker, pid int) {
	t.Helper()
	for n, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGTERM, syscall.SIGINT} {
		counted := func() int {
			return len(regexp.MustCompile(fmt.Sprintf(`(?m)^lactoserv.%d \| lactoserv: SIG(TERM|INT): exiting, %d$`, w.Slot, n+1)).FindAllString(read(t, l.log), -1))
		}
		before := counted()
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
		if n < 3 {
			l.await("a worker to count", func() bool { return counted() > before })
		}
	}
}

// hurries: a worker that somebody signals four times gives up, and is replaced.
func (l *lactoserv) hurries(t *testing.T) {
	victim := l.stall(t)
	l.fourTimes(t, victim, victim.PID)
	l.await("a successor", func() bool { return l.pool().Restarts == 3 && l.whole() })
	if end := l.died(victim.PID); end.Exit != "exit 1" || !strings.Contains(read(t, l.log), goodbye) {
		t.Errorf("after four signals it ended like this: %+v", end)
	}
}

// ends: so does brood, and all its workers, whatever hangs.
func (l *lactoserv) ends(t *testing.T) {
	victim := l.stall(t)
	began := time.Now()
	l.fourTimes(t, victim, l.cmd.Process.Pid)
	if code := l.code(); code != 1 {
		t.Errorf("after four signals brood ended with %d", code)
	}
	t.Logf("four signals: ended after %s", time.Since(began).Round(10*time.Millisecond))
	for deadline, look := time.After(patience), time.NewTicker(10*time.Millisecond); lives(victim.PID); {
		select {
		case <-look.C: // its death is nobody's news here
		case <-deadline:
			t.Fatalf("worker %d outlives brood", victim.PID)
		}
	}
}

// lives tells whether a process is there, and not only somebody's zombie.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// TestExampleLactoservGuide: the command of the guide's unit finds in a worker what it
// finds under systemd: sockets by LISTEN_FDNAMES, and meant for it.
func TestExampleLactoservGuide(t *testing.T) {
	testhost.Need(t, testhost.Program("node"))
	dir, port := site(t), freePort(t)
	write(t, filepath.Join(dir, "index.html"), "guide\n")
	config := example(t, "lactoserv/config.mjs", dir, "/srv/website", dir, "beside('cert.pem')", "null", "beside('key.pem')", "null",
		"    { name: 'secure'", "    // { name: 'secure'")
	b := launch(t, options{
		flags: []string{"-n", "1", "-l", "http=" + address(port), "--reload", "signal"},
		command: []string{
			filepath.Join(exampleDir("lactoserv"), "stand-in/bin/run-under-systemd"), "--service-name=lactoserv", "start", "--log-to-stdout", "--config=" + config,
		},
	})
	response, err := http.Get("http://" + address(port) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "guide\n" {
		t.Errorf("it says %q, %v", text, err)
	}
	b.must("reload")
	b.awaitOutput("lactoserv: reloaded", 1)
	b.stop()
}

// TestExampleLactoservReadme: the commands of the page make a service without privileges
// on sockets of systemd's, a reload and a rollout included, and it loses nobody.
func TestExampleLactoservReadme(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("node"), testhost.Program("openssl"), testhost.Program("curl"))
	m, said := readme(t, "lactoserv", func(m *machine) {
		unpack(t, m.Path("/opt/lactoserv"))
		example(t, "lactoserv/brood.toml", m.Path("/root"), "max_surge = 2", `max_surge = 2, settle = "200ms"`)
		m.Install("/srv/website/index.html", 0o644, []byte("cheese\n"))
	})
	if !strings.Contains(said, "4/4 ready") || strings.Count(said, "cheese\n") != 2 {
		t.Errorf("they say:\n%s", said)
	}
	brood := func(words ...string) string {
		t.Helper()
		return m.Must(t.Context(), append([]string{installedBrood, words[0], "--name", "lactoserv"}, words[1:]...)...)
	}
	for _, l := range parseStatus(t, brood("status", "--output", "json")).Pools[0].Listeners {
		if l.Mode != "sharded" || l.Queue == nil || l.Queue.Depth != 0 { // in half of the sockets nobody serves
			t.Errorf("listener %s is %s, and in its queues waits %+v\n%s", l.Name, l.Mode, l.Queue, m.journal())
		}
	}
	load := m.load(nil)
	brood("roll", "--wait")
	rolled, p := load.Snapshot(), parseStatus(t, brood("status", "--output", "json")).Pools[0]
	m.Must(t.Context(), "kill", "-KILL", fmt.Sprint(p.Workers[1].PID))
	m.await("a successor", func() bool {
		p := parseStatus(t, brood("status", "--output", "json")).Pools[0]
		return p.Restarts == 1 && p.whole()
	})
	if err := load.Await(t.Context(), 200); err != nil {
		t.Fatal(err)
	}
	result := load.Stop()
	if rolled.Failed() != 0 || result.Failed() > 8 || len(result.PIDs()) != 9 {
		t.Errorf("under a rollout and a death:\n%s", &result)
	}
	t.Logf("a rollout: %d of %d requests failed; a death: %d of %d", rolled.Failed(), rolled.Requests(),
		result.Failed()-rolled.Failed(), result.Requests()-rolled.Requests())
	m.await("the words of each worker", func() bool {
		said := m.Must(t.Context(), "journalctl", "-u", m.unit, "-t", "lactoserv.2", "-o", "cat")
		return strings.Contains(said, "lactoserv: reloaded") && strings.Count(said, "lactoserv: running as lactoserv") == 2
	})
	m.stopped()
}
