package testvm

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/testhost"
)

// root is what each machine has, besides busybox.
//
//go:embed root
var root embed.FS

// Machine is a booted virtual machine.
type Machine struct {
	t       testing.TB
	cmd     *exec.Cmd
	console *os.File      // what its kernel said; it has no name
	in, out *os.File      // the second serial line
	lines   *bufio.Reader // of out
	exited  chan struct{} // qemu has ended
}

const (
	qemu    = "qemu-system-x86_64"
	busybox = "busybox"
	ready   = "testvm ready"

	commandLine = "console=ttyS0 quiet panic=-1 psi=1"
)

// Boot starts a machine and returns when it takes commands. It ends with the test. Files are this machine's by the names
// they get inside; programs must be static. The machine has two processors, 512 MB of memory, users root, daemon and
// nobody, a loopback interface, all of busybox in /bin, empty /tmp and /run, and every controller on in the root of
// /sys/fs/cgroup.
func Boot(t testing.TB, files map[string]string) *Machine {
	t.Helper()
	testhost.Need(t, testhost.Program(qemu), testhost.Program(busybox), Kernel)
	initrd, err := pack(files)
	if err != nil {
		t.Fatalf("cannot pack the files of the machine: %v", err)
	}
	defer initrd.Close()
	for _, accel := range accelerators() {
		m, err := start(t, accel.name, initrd)
		if err != nil {
			t.Fatalf("cannot start a machine: %v", err)
		}
		begin := time.Now()
		if err = m.awaitBoot(accel.timeout); err == nil {
			t.Logf("booted by %s in %s", accel.name, time.Since(begin).Round(time.Millisecond))
			t.Cleanup(m.end)
			return m
		}
		t.Logf("the machine does not boot by %s: %v\n%s", accel.name, err, m.tail())
		m.end()
	}
	t.Fatal("cannot boot a machine")
	return nil
}

// pack makes the archive of the files in memory.
func pack(files map[string]string) (initrd *os.File, err error) {
	fd, err := unix.MemfdCreate("initrd", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	initrd = os.NewFile(uintptr(fd), "initrd")
	defer func() {
		if err != nil {
			initrd.Close()
		}
	}()
	a := newArchive(initrd)
	shell, err := testhost.Find(busybox)
	if err != nil {
		return nil, err
	}
	if err := a.copy("bin/busybox", shell); err != nil {
		return nil, err
	}
	for target, source := range files {
		if err := a.copy(strings.TrimPrefix(path.Clean(target), "/"), source); err != nil {
			return nil, err
		}
	}
	err = fs.WalkDir(root, "root", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := root.ReadFile(name)
		a.file(strings.TrimPrefix(name, "root/"), 0o755, data)
		return err
	})
	return initrd, errors.Join(err, a.close())
}

// copy adds a file of this machine.
func (a *archive) copy(target, source string) error {
	data, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	a.file(target, info.Mode(), data)
	return nil
}

// start starts qemu with nothing but what is asked for: no network, no disk, no screen.
func start(t testing.TB, accel string, initrd *os.File) (*Machine, error) {
	image, err := kernel()
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("console", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	m := &Machine{t: t, console: os.NewFile(uintptr(fd), "console"), exited: make(chan struct{})}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, m.console.Close())
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, m.console.Close(), in.Close())
	}
	defer theirOut.Close()
	m.in, m.out, m.lines = in, out, bufio.NewReader(out)

	m.cmd = exec.Command("nice", "-n", "5", qemu, "-accel", accel, "-M", "pc", "-m", "512M", "-smp", "2",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", image, "-initrd", "/proc/self/fd/3", "-append", commandLine,
		"-chardev", "file,id=console,path=/proc/self/fd/4", "-serial", "chardev:console",
		"-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line")
	m.cmd.Stdin, m.cmd.Stdout, m.cmd.Stderr = theirIn, theirOut, m.console
	m.cmd.ExtraFiles = []*os.File{initrd, m.console}
	// A session of its own: an interrupt from the terminal is the test's to handle.
	m.cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
	if err := m.launch(); err != nil {
		return nil, errors.Join(err, m.console.Close(), in.Close(), out.Close())
	}
	return m, nil
}

// launch starts qemu on a thread that lives as long: the kernel sends the signal of the parent's death when the thread
// ends that has forked.
func (m *Machine) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := m.cmd.Start()
		started <- err
		if err == nil {
			_ = m.cmd.Wait() // the test is told by the end of the line
			close(m.exited)
		}
	}()
	return <-started
}

// awaitBoot waits for the first line of process 1.
func (m *Machine) awaitBoot(timeout time.Duration) error {
	if err := m.out.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	for {
		line, err := m.lines.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.TrimSpace(line) == ready {
			return m.out.SetReadDeadline(time.Time{})
		}
	}
}

// end ends the machine as a power cut would.
func (m *Machine) end() {
	_ = m.cmd.Process.Kill() // it may have ended by itself
	<-m.exited
	for _, file := range []*os.File{m.in, m.out, m.console} {
		file.Close()
	}
}

// tail is the end of what the machine's kernel, or qemu, said.
func (m *Machine) tail() string {
	const most = 8 << 10
	info, err := m.console.Stat()
	if err != nil {
		return err.Error()
	}
	text := make([]byte, min(most, info.Size()))
	if _, err := m.console.ReadAt(text, info.Size()-int64(len(text))); err != nil {
		return fmt.Sprintf("cannot read the console: %v", err)
	}
	return string(text)
}
