package testhost

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed boot.sh
var bootScript string

//go:embed init.sh
var initScript string

// Host is a booted systemd.
type Host struct {
	t   testing.TB
	pid int // process 1, as this machine sees it
}

const (
	bootTime = 60 * time.Second // when a machine is busy; it takes 0.3 s
	endTime  = 30 * time.Second
)

// hosts numbers the cgroups of this process: two tests may boot at once.
var hosts atomic.Int64

// Boot starts a host and returns when it has reached basic.target. The host ends
// with the test. Its own network has nothing but a loopback interface, its /tmp
// and /run are empty, and all else is this machine's, to be written to freely.
func Boot(t testing.TB) *Host {
	t.Helper()
	Need(t, Root, Cgroup2, Program("systemctl"), Program("unshare"), Program("nsenter"),
		Program("setpriv"), Program("pkill"), Program("ip"))
	group, err := ownCgroup()
	if err != nil {
		t.Fatal(err)
	}
	group = filepath.Join(group, fmt.Sprintf("brood-testhost-%d-%d", os.Getpid(), hosts.Add(1)))

	// Not t.TempDir: its name holds the test's and may be too long for a socket.
	dir, err := os.MkdirTemp("", "testhost-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // the script's work when the test is killed
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "notify")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() }) // also if the boot fails

	h := &Host{t: t}
	log := h.start(group, dir)
	if h.pid == 0 {
		t.Fatalf("cannot boot a host:\n%s", contents(log))
	}
	if err := awaitBoot(notify); err != nil {
		t.Fatalf("the host does not come up: %v\n%s", err, contents(log))
	}
	hearOut(t, notify)
	return h
}

// start runs the script, learns the pid, and arranges for the end. It gives the
// path of the log.
func (h *Host) start(group, dir string) string {
	t := h.t
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	pidReader, pidWriter, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pidReader.Close()

	cmd := exec.Command("sh", "-c", bootScript, "boot", group, initScript, dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{pidWriter}
	// A session of its own: an interrupt from the terminal must not stop the cleaning.
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pidWriter.Close()
	t.Cleanup(func() {
		lifeline.Close()
		timer := time.AfterFunc(endTime, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("cannot end the host: %v\n%s", err, contents(log.Name()))
		}
	})
	line, err := bufio.NewReader(pidReader).ReadString('\n') // EOF when the script gave up
	if err == nil {
		h.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		t.Logf("no process 1: %v", err)
	}
	return log.Name()
}

// awaitBoot waits for READY=1, which process 1 says when its first jobs are done.
func awaitBoot(notify *net.UnixConn) error {
	if err := notify.SetReadDeadline(time.Now().Add(bootTime)); err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	for {
		n, err := notify.Read(buffer)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(buffer[:n])) {
			if strings.TrimSpace(line) == "READY=1" {
				return nil
			}
		}
	}
}

// hearOut goes on listening until the test ends. While a job takes more than five seconds
// process 1 says so three times a second, and it would wait for ever for somebody to take it.
func hearOut(t testing.TB, notify *net.UnixConn) {
	t.Helper()
	if err := notify.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, notify) // until it is closed
	}()
	t.Cleanup(func() { notify.Close(); <-ended })
}

func contents(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// PID is the host's process 1 as this machine numbers it.
func (h *Host) PID() int { return h.pid }

// Run runs a program inside and gives what it wrote and its exit code. When ctx
// ends first the program is killed and the code is -1.
func (h *Host) Run(ctx context.Context, argv ...string) (stdout, stderr string, code int) {
	h.t.Helper()
	// A process that enters a cgroup namespace stays outside its tree; inside,
	// systemctl and others want to find themselves somewhere.
	const enter = `mkdir -p /sys/fs/cgroup/enter.scope
echo $$ >/sys/fs/cgroup/enter.scope/cgroup.procs
exec setpriv --pdeathsig KILL "$@"`
	args := append([]string{
		"-t", strconv.Itoa(h.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--",
		"sh", "-c", enter, "enter",
	}, argv...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "PAGER=", "TERM=dumb"}
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil && !errors.Is(err, exec.ErrWaitDelay) {
		h.t.Fatalf("cannot run %q in the host: %v", argv, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Must runs a program that has to end with 0, and gives its standard output
// without the space around it.
func (h *Host) Must(ctx context.Context, argv ...string) string {
	h.t.Helper()
	stdout, stderr, code := h.Run(ctx, argv...)
	if code != 0 {
		h.t.Fatalf("%q ended with %d\n%s%s", argv, code, stdout, stderr)
	}
	return strings.TrimSpace(stdout)
}

// Path is where this machine sees a file of the host.
func (h *Host) Path(path string) string {
	return filepath.Join("/proc", strconv.Itoa(h.pid), "root", path)
}

// Install writes a file into the host, and the folders above it.
func (h *Host) Install(path string, mode fs.FileMode, data []byte) {
	h.t.Helper()
	target := h.Path(path)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(target, data, mode); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(target, mode); err != nil { // past the umask
		h.t.Fatal(err)
	}
}

// Unit writes a unit and makes systemd know it.
func (h *Host) Unit(name, text string) {
	h.t.Helper()
	h.Install("/etc/systemd/system/"+name, 0o644, []byte(text))
	h.Must(h.t.Context(), "systemctl", "daemon-reload")
}

// NetNS is the host's network.
func (h *Host) NetNS() *NetNS {
	h.t.Helper()
	return openNetNS(h.t, fmt.Sprintf("/proc/%d/ns/net", h.pid))
}
