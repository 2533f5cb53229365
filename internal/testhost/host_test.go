package testhost

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const napping = `[Service]
Type=notify
NotifyAccess=all
ExecStart=/bin/sh -c 'echo hello from the unit; systemd-notify --ready --status=napping; exec sleep 600'
`

// marker names what a host leaves on this machine while it lives.
const marker = "brood-testhost"

func TestBoot(t *testing.T) {
	before := leftovers(t, os.Getpid())
	t.Run("host", func(t *testing.T) {
		begin := time.Now()
		h := Boot(t)
		t.Logf("booted in %s", time.Since(begin).Round(time.Millisecond))
		h.Unit("nap.service", napping)
		h.Must(t.Context(), "systemctl", "start", "nap.service")
		if got := h.Must(t.Context(), "systemctl", "show", "-P", "StatusText", "nap.service"); got != "napping" {
			t.Errorf("status %q", got)
		}
		if got := h.Must(t.Context(), "cat", "/proc/1/comm"); got != "systemd" {
			t.Errorf("process 1 is %q", got)
		}
		out, _, code := h.Run(t.Context(), "sh", "-c", "echo out; echo err >&2; exit 7")
		if out != "out\n" || code != 7 {
			t.Errorf("%q, %d", out, code)
		}
		h.Install("/usr/local/bin/there", 0o755, []byte("#!/bin/sh\necho there\n"))
		if got := h.Must(t.Context(), "there"); got != "there" {
			t.Errorf("%q", got)
		}
		if _, err := os.Stat("/usr/local/bin/there"); err == nil {
			t.Error("it is on this machine too")
		}
		journal := h.Must(t.Context(), "journalctl", "-u", "nap.service", "-o", "cat")
		if !strings.Contains(journal, "hello from the unit") {
			t.Errorf("the journal says %q", journal)
		}
		if leftovers(t, os.Getpid()) == before {
			t.Error("a live host leaves no trace: the check below proves nothing")
		}
	})
	if after := leftovers(t, os.Getpid()); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}

func TestHostNetwork(t *testing.T) {
	h := Boot(t)
	ns := h.NetNS()
	listener := ns.Listen("tcp", "127.0.0.1:80")
	conn, err := ns.Dial(t.Context(), "tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	listener.Close()
}

// TestHearOut: nobody who tells of his state has to wait for somebody to read it.
func TestHearOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	hearOut(t, notify)
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for n := range 1000 { // its queue has room for ten
		if _, err := conn.Write([]byte("STATUS=busy")); err != nil {
			t.Fatalf("after %d: %v", n, err)
		}
	}
}

// TestNothingStays runs the test binary itself as a test that fails, one that
// panics, and one that is killed.
func TestNothingStays(t *testing.T) {
	Need(t, Root, Cgroup2)
	for _, end := range []string{"fail", "panic", "kill"} {
		t.Run(end, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
			cmd.Env = append(os.Environ(), "TESTHOST_VICTIM="+end)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid := 0
			reader := bufio.NewReader(out)
			for pid == 0 {
				line, err := reader.ReadString('\n')
				if err != nil {
					t.Fatalf("the victim ended early: %v", err)
				}
				fmt.Sscanf(line, "victim's host is %d", &pid)
			}
			pidfd := openProcess(t, pid)
			if end == "kill" {
				cmd.Process.Kill()
			}
			io.Copy(io.Discard, reader)
			if err := cmd.Wait(); err == nil {
				t.Error("the victim passed")
			}
			awaitEnd(t, pidfd)
			// After a kill nobody waits for the script, so wait for what it does last.
			group, err := ownCgroup()
			if err != nil {
				t.Fatal(err)
			}
			awaitRemoval(t, group, fmt.Sprintf("%s-%d-1", marker, cmd.Process.Pid))
			if left := leftovers(t, cmd.Process.Pid); left != "" {
				t.Errorf("left behind:\n%s", left)
			}
		})
	}
}

// TestVictim is no test of its own: see TestNothingStays.
func TestVictim(t *testing.T) {
	end := os.Getenv("TESTHOST_VICTIM")
	if end == "" {
		return
	}
	h := Boot(t)
	fmt.Printf("victim's host is %d\n", h.PID())
	switch end {
	case "fail":
		t.Fatal("as told")
	case "panic":
		panic("as told")
	}
	select {}
}

// leftovers lists what a host of that test binary left on this machine: cgroups,
// mounts, processes of such a cgroup.
func leftovers(t *testing.T, pid int) string {
	t.Helper()
	var found []string
	group, err := ownCgroup()
	if err != nil {
		t.Fatal(err)
	}
	mine := marker + "-" + strconv.Itoa(pid) + "-"
	groups, err := filepath.Glob(filepath.Join(group, mine+"*"))
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, groups...)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, marker) {
			found = append(found, "mount "+line)
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, path := range processes {
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), mine) {
			found = append(found, path)
		}
	}
	return strings.Join(found, "\n")
}

func TestCgroup2Mount(t *testing.T) {
	const v1 = "37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
	for text, want := range map[string]string{
		v1 + "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n": "/sys/fs/cgroup/unified",
		"30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n":   "/sys/fs/cgroup",
		`9 8 0:1 / /my\040groups rw - cgroup2 none rw`:                                "/my groups",
		v1: "",
		"": "",
	} {
		got, err := cgroup2Mount(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestWire(t *testing.T) {
	cable := Wire(t)
	listener := cable.Server.Listen("tcp", net.JoinHostPort(cable.ServerIP, "80"))
	conn, err := cable.Remote.Dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if host, _, _ := net.SplitHostPort(conn.LocalAddr().String()); host != cable.RemoteIP {
		t.Errorf("the client is %s", conn.LocalAddr())
	}
	if out := cable.Remote.Must("cat", "/proc/net/dev"); !strings.Contains(out, "wire:") || strings.Contains(out, "eth0:") {
		t.Errorf("interfaces:\n%s", out)
	}
}

func TestNeed(t *testing.T) {
	missing := Program("no-such-program-anywhere")
	for ci, want := range map[string]string{"": "skipped", "true": "failed"} {
		t.Setenv("CI", ci)
		fake := &recorder{TB: t}
		Need(fake, missing)
		if fake.verdict != want {
			t.Errorf("with CI=%q the test is %q, want %q", ci, fake.verdict, want)
		}
	}
	Need(t, Program("sh"), Succeeds("true"))
}

// recorder notes what a test would have been told.
type recorder struct {
	testing.TB
	verdict string
}

func (r *recorder) Helper()               {}
func (r *recorder) Skipf(string, ...any)  { r.verdict = "skipped" }
func (r *recorder) Fatalf(string, ...any) { r.verdict = "failed" }
