//go:build e2e

package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
)

// server is one kind of worker, ready to be launched on an address.
type server struct {
	name    string
	needs   []testhost.Requirement
	flags   []string
	command []string
}

const slots = 4

// servers are the programs that brood promises to run unchanged.
func servers(t *testing.T, port int) []server {
	t.Helper()
	data, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return []server{
		{name: "go", command: []string{guestBin(), testguest.Word, "http"}},
		{
			name: "node", needs: []testhost.Requirement{testhost.Program("node")},
			command: []string{"node", filepath.Join(data, "server.js")},
		},
		{
			name: "gunicorn", needs: []testhost.Requirement{testhost.Program("gunicorn")},
			flags:   []string{"--env", "PYTHONDONTWRITEBYTECODE=1"},
			command: []string{"gunicorn", "-w", "1", "--chdir", data, "wsgi:app"},
		},
		{
			name: "uvicorn", needs: []testhost.Requirement{testhost.Succeeds("/usr/bin/python3", "-c", "import uvicorn")},
			flags: []string{"--env", "PYTHONDONTWRITEBYTECODE=1"},
			command: []string{
				"/usr/bin/python3", "-m", "uvicorn", "--fd", "{{.FD.http}}", "--app-dir", data,
				"--no-access-log", "asgi:app",
			},
		},
		{
			name: "nginx", needs: []testhost.Requirement{testhost.Root, testhost.Program("nginx")},
			flags:   []string{"--env", "NGINX={{.FD.http}};", "--stop-signal", "QUIT"},
			command: []string{nginxBin(), "-c", filepath.Join(nginxConfigs(t, data, port), "nginx-{{.Slot}}.conf")},
		},
	}
}

func nginxBin() string {
	path, err := testhost.Find("nginx")
	if err != nil {
		return "nginx" // the story says that it is missing
	}
	return path
}

// nginxConfigs writes one file for each slot, for nginx knows no templates.
func nginxConfigs(t *testing.T, data string, port int) string {
	t.Helper()
	text := read(t, filepath.Join(data, "nginx.conf"))
	dir := scratch(t, os.Geteuid())
	for slot := range 2 * slots {
		fill := strings.NewReplacer("SLOT", strconv.Itoa(slot), "PORT", strconv.Itoa(port), "DIR", dir)
		path := filepath.Join(dir, "nginx-"+strconv.Itoa(slot)+".conf")
		if err := os.WriteFile(path, []byte(fill.Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// freePort finds one below the range that the kernel gives to clients, so that no
// connection of a load takes it meanwhile.
func freePort(t *testing.T) int {
	t.Helper()
	return freePorts(t, 1)[0]
}

// freePorts finds several, and claims each until the end of the test: others run at the same time, in this process and
// beside it. A claim is a name among the abstract sockets.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for port := 20000 + os.Getpid()%5000; port < 32000 && len(ports) < n; port += 7 {
		claim, err := net.Listen("unix", "@brood-e2e-port-"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			claim.Close()
			continue
		}
		listener.Close()
		t.Cleanup(func() { claim.Close() })
		ports = append(ports, port)
	}
	if len(ports) < n {
		t.Fatal("no port is free")
	}
	return ports
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// eachServer runs a story with every kind of worker. None of them looks at how long something takes, and most of the time
// they wait.
func eachServer(t *testing.T, story func(t *testing.T, b *brood, address string), flags ...string) {
	t.Helper()
	for i := range servers(t, 0) {
		port := freePort(t)
		s := servers(t, port)[i]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			testhost.Need(t, s.needs...)
			usual := []string{"-n", strconv.Itoa(slots), "-l", "http=" + address(port), "--settle", "200ms"}
			b := launch(t, options{flags: append(append(usual, s.flags...), flags...), command: s.command})
			story(t, b, address(port))
			b.stop()
		})
	}
}
