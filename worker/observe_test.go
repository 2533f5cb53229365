package worker_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/worker"
)

// requireProgram finds what a test needs. In CI its absence is a failure.
func requireProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// listenRaw opens a socket of raw descriptor and tells its inode.
func listenRaw(t *testing.T) (fd int, inode uint64) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 16); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	return fd, st.Ino
}

// until asks again while the process lives: what another process does tells
// nobody when it happens.
func until(t *testing.T, p *running, ask func() (bool, error)) {
	t.Helper()
	for {
		select {
		case e := <-p.exit:
			t.Fatalf("ended early: %v", e)
		default:
		}
		yes, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
		runtime.Gosched()
	}
}

// python3 is the distribution's, which has its gunicorn and uvicorn.
const python3 = "/usr/bin/python3"

// pythonHead makes s of descriptor 3.
const pythonHead = "import socket,select,sys,os,subprocess\ns=socket.socket(fileno=3)\ns.setblocking(False)\n"

func TestServing(t *testing.T) {
	app := filepath.Join(t.TempDir(), "app.py")
	text := "def wsgi(env, start):\n  start('200 OK', [])\n  return [b'x']\nasync def asgi(scope, receive, send):\n  pass\n"
	if err := os.WriteFile(app, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	python := func(code string) []string { return []string{python3, "-c", pythonHead + code} }
	tests := []struct {
		name string
		argv []string
	}{
		{"epoll", python("e=select.epoll(); e.register(s, select.EPOLLIN); e.poll()")},
		{"poll", python("p=select.poll(); p.register(0); p.register(s, select.POLLIN); p.unregister(0); p.poll()")},
		{"select", python("select.select([s],[],[])")},
		{"select high", python("import fcntl; n=fcntl.fcntl(3, fcntl.F_DUPFD, 200); select.select([n],[],[])")},
		{"accept", python("s.setblocking(True); s.accept()")},
		{"in a thread", python("import threading; threading.Thread(target=lambda: select.select([s],[],[])).start(); os.read(os.pipe()[0], 1)")},
		{"in a child", []string{"sh", "-c", `"$@" & wait`, "sh", python3, "-c", pythonHead + "select.select([s],[],[])"}},
		{"node", []string{"node", "-e", "require('http').createServer().listen({fd: 3})"}},
		{"gunicorn sync", []string{"gunicorn", "-b", "fd://3", "--chdir", filepath.Dir(app), "app:wsgi"}},
		{"gunicorn gthread", []string{"gunicorn", "-b", "fd://3", "-k", "gthread", "--threads", "2", "--chdir", filepath.Dir(app), "app:wsgi"}},
		{"uvicorn", []string{python3, "-m", "uvicorn", "--fd", "3", "--app-dir", filepath.Dir(app), "app:asgi"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requireProgram(t, tt.argv[0])
			fd, inode := listenRaw(t)
			_, other := listenRaw(t)
			s := newSpawner(t)
			p := launch(t, s, worker.Command{
				Argv: tt.argv, Env: append(worker.CleanEnviron(os.Environ()), "PYTHONUNBUFFERED=1"),
				Files: []int{fd}, Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: worker.DevNull,
			})
			until(t, p, func() (bool, error) { return worker.Serving(p.PID(), []uint64{other, inode}) })
			if yes, err := worker.Serving(p.PID(), []uint64{other}); yes || err != nil {
				t.Errorf("serves what it does not have: %v", err)
			}
		})
	}
}

func TestServingGo(t *testing.T) {
	s := newSpawner(t)
	for _, name := range []string{"accept", "serve-http"} {
		fd, inode := listenRaw(t)
		cmd := helper(t, name)
		cmd.Files = []int{fd}
		p := launch(t, s, cmd)
		until(t, p, func() (bool, error) { return worker.Serving(p.PID(), []uint64{inode}) })
	}
}

// Having the socket is not serving it.
func TestNotServing(t *testing.T) {
	s := newSpawner(t)
	for _, code := range []string{
		"print('up', flush=True); os.read(os.pipe()[0], 1)",
		"print('up', flush=True); select.select([os.pipe()[0]],[s],[])",
		"e=select.epoll(); e.register(s, 0); print('up', flush=True); e.poll()",
	} {
		fd, inode := listenRaw(t)
		out, w := newPipe(t)
		p := launch(t, s, worker.Command{
			Argv: []string{requireProgram(t, python3), "-c", pythonHead + code}, Env: os.Environ(),
			Files: []int{fd}, Stdin: worker.DevNull, Stdout: w, Stderr: 2,
		})
		_ = syscall.Close(w)
		if line, _ := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
			t.Fatalf("%s: got %q", code, line)
		}
		if yes, err := worker.Serving(p.PID(), []uint64{inode}); yes || err != nil {
			t.Errorf("%s: %v, %v", code, yes, err)
		}
	}
	if yes, err := worker.Serving(1<<22+1, []uint64{1}); yes || err != nil { // above the kernel's limit of pids
		t.Errorf("nobody serves: %v, %v", yes, err)
	}
}

func TestServingPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // reserves a port number that nobody has
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	s := newSpawner(t)
	p := launch(t, s, helper(t, "exit-later"))
	if yes, err := worker.ServingPort(p.PID(), port); yes || err != nil {
		t.Errorf("another process has it: %v, %v", yes, err)
	}
	if yes, err := worker.ServingPort(os.Getpid(), port); !yes || err != nil {
		t.Errorf("we have it: %v, %v", yes, err)
	}
	_ = l.Close()

	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if yes, err := worker.ServingPort(os.Getpid(), udp.LocalAddr().(*net.UDPAddr).Port); !yes || err != nil {
		t.Errorf("datagrams: %v, %v", yes, err)
	}
	out, w := newPipe(t)
	cmd := helper(t, "serve", strconv.Itoa(port))
	cmd.Stdout = w
	p = launch(t, s, cmd)
	_ = syscall.Close(w)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	if yes, err := worker.ServingPort(p.PID(), port); !yes || err != nil {
		t.Errorf("the worker has it: %v, %v", yes, err)
	}
}

func TestHandles(t *testing.T) {
	s := newSpawner(t)
	var survey worker.Surveyor
	python := func(code string) []string {
		return []string{python3, "-c", "import signal,os\n" + code + "\nprint('up', flush=True)\nos.read(os.pipe()[0], 1)"}
	}
	node := func(code string) []string {
		return []string{"node", "-e", code + ";console.log('up');setInterval(()=>{}, 1e6)"}
	}
	tests := []struct {
		argv []string
		sig  syscall.Signal
		want worker.Handling
	}{
		{python(""), syscall.SIGHUP, worker.Dies},
		{python(""), syscall.SIGWINCH, worker.Ignores},
		{python(""), syscall.SIGPIPE, worker.Ignores}, // python does so
		{python("signal.signal(signal.SIGHUP, lambda *a: None)"), syscall.SIGHUP, worker.Catches},
		{python("signal.signal(signal.SIGHUP, signal.SIG_IGN)"), syscall.SIGHUP, worker.Ignores},
		{node(""), syscall.SIGHUP, worker.Dies},
		{node("process.on('SIGHUP', ()=>{})"), syscall.SIGHUP, worker.Catches},
		{node(""), syscall.SIGUSR1, worker.Harms}, // it would open the inspector
		{node("process.on('SIGUSR1', ()=>{})"), syscall.SIGUSR1, worker.Harms},
		{node("process.on('SIGUSR2', ()=>{})"), syscall.SIGUSR2, worker.Catches},
		{python("signal.signal(signal.SIGUSR1, lambda *a: None)"), syscall.SIGUSR1, worker.Catches},
		{nil, syscall.SIGHUP, worker.CatchesAll},  // this test binary: Go, with or without a handler
		{nil, syscall.SIGUSR2, worker.CatchesAll}, // (it has none for this one)
		{nil, syscall.SIGKILL, worker.Dies},
	}
	for _, tt := range tests {
		cmd := helper(t, "catch")
		if tt.argv != nil {
			requireProgram(t, tt.argv[0])
			cmd = worker.Command{Argv: tt.argv, Env: os.Environ(), Stderr: 2}
		}
		out, w := newPipe(t)
		var in [2]int
		if err := syscall.Pipe2(in[:], syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		cmd.Stdin, cmd.Stdout = in[0], w
		p := launch(t, s, cmd)
		_, _ = syscall.Close(w), syscall.Close(in[0])
		if line, _ := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
			t.Fatalf("%v: got %q", tt.argv, line)
		}
		for range 2 { // the second answer comes from memory
			got, err := survey.Handles(p.PID(), tt.sig)
			if err != nil || got != tt.want {
				t.Errorf("%s %v: got %v, %v, want %v", strings.Join(tt.argv, " "), tt.sig, got, err, tt.want)
			}
		}
		_ = syscall.Close(in[1])
	}
	if _, err := survey.Handles(1<<22+1, syscall.SIGHUP); err == nil {
		t.Error("nobody handles a signal")
	}
	if got := fmt.Sprint(worker.Dies, worker.CatchesAll, worker.Harms, worker.Handling(9)); got != "dies catches all harms Handling(9)" {
		t.Errorf("got %q", got)
	}
}

// A program with Node inside is known by any of its marks: a copy of another name
// by its symbols or its library.
func TestHandlesNodeOfAnotherName(t *testing.T) {
	binary, err := os.ReadFile(requireProgram(t, "node"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	out, w := newPipe(t)
	p := launch(t, newSpawner(t), worker.Command{
		Argv: []string{path, "-e", "console.log('up');setInterval(()=>{}, 1e6)"},
		Env:  os.Environ(), Stdin: worker.DevNull, Stdout: w, Stderr: 2,
	})
	_ = syscall.Close(w)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	var survey worker.Surveyor
	for sig, want := range map[syscall.Signal]worker.Handling{syscall.SIGUSR1: worker.Harms, syscall.SIGHUP: worker.Dies} {
		if got, err := survey.Handles(p.PID(), sig); err != nil || got != want {
			t.Errorf("%v: got %v, %v, want %v", sig, got, err, want)
		}
	}
}
