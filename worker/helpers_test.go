package worker_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/self"
)

// helpers are the programs that the test binary can be: see asEnv.
func helpers() map[string]func(args []string) int {
	return map[string]func(args []string) int{
		"report":           report,
		"exit":             func(args []string) int { code, _ := strconv.Atoi(args[0]); return code },
		"die":              die,
		"echo":             echo,
		"leave":            leave,
		"supervise":        supervise,
		"accept":           accept,
		"serve":            serve,
		"serve-http":       serveHTTP,
		"exit-later":       func([]string) int { signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM); select {} },
		"catch":            func([]string) int { signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP); return echo(nil) },
		"usage":            usageOfParent,
		"close-and-remove": closeAndRemove,
		"chain":            runChain,
		"await-ttin":       awaitTTIN,
		"talk":             talk,
		"tell-ready":       func([]string) int { return failIf(self.Ready()) },
	}
}

// as is this process's environment for another helper.
func as(helper string) []string {
	mine := func(v string) bool { return strings.HasPrefix(v, asEnv+"=") }
	return append(slices.DeleteFunc(os.Environ(), mine), asEnv+"="+helper)
}

func failIf(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// facts is what a process knows about itself.
type facts struct {
	PID, PGID int
	Args, Env []string
	FDs       []int
	Stdin     string
	Dir       string
}

func report(args []string) int {
	f := facts{PID: os.Getpid(), PGID: syscall.Getpgrp(), Args: args, Env: os.Environ()}
	for fd := range 200 { // what came through exec has no close-on-exec; what Go opens has
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			f.FDs = append(f.FDs, fd)
		}
	}
	f.Stdin, _ = os.Readlink("/proc/self/fd/0")
	f.Dir, _ = os.Readlink("/proc/self/cwd")
	return failIf(json.NewEncoder(os.Stdout).Encode(f))
}

func die(args []string) int {
	sig, _ := strconv.Atoi(args[0])
	signal.Reset()
	_ = syscall.Kill(os.Getpid(), syscall.Signal(sig))
	select {}
}

// echo says "up", and "alive" for a byte on stdin, or "term" for SIGTERM.
func echo([]string) int {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	fmt.Println("up")
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if n, _ := os.Stdin.Read(make([]byte, 1)); n == 1 {
			fmt.Println("alive")
		}
	}()
	select {
	case <-terms:
		fmt.Println("term")
	case <-asked:
	}
	return 0
}

// leave starts an echo in its own group and exits with 7 before it.
func leave([]string) int {
	env := as("echo")
	_, err := syscall.ForkExec("/proc/self/exe", []string{"echo"}, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}})
	if err != nil {
		return failIf(err)
	}
	return 7
}

// plan is what a supervise starts.
type plan struct {
	Orphans  worker.OrphanPolicy
	Direct   bool
	As       *worker.Identity
	Limits   []worker.Limit
	Settings worker.Settings
}

func (p plan) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// supervise is a supervisor with ignored and blocked signals and a leaked
// descriptor. Its one worker is the rest of the arguments, started as the plan in
// the first one says.
func supervise(args []string) int {
	runtime.LockOSThread() // whose signals are blocked
	var p plan
	if err := json.Unmarshal([]byte(args[0]), &p); err != nil {
		return failIf(err)
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTTOU, syscall.SIGQUIT)
	blocked := unix.Sigset_t{Val: [16]uint64{1<<(syscall.SIGTERM-1) | 1<<(syscall.SIGUSR1-1)}}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &blocked, nil); err != nil {
		return failIf(err)
	}
	if err := unix.Dup3(1, 77, 0); err != nil { // without close-on-exec
		return failIf(err)
	}
	if err := worker.SealInherited(); err != nil {
		return failIf(err)
	}
	return failIf(manage(worker.Command{
		Argv: args[1:], Env: as("echo"), Stdout: 1, Stderr: 2,
		Orphans: p.Orphans, ListenPID: !p.Direct, As: p.As, Limits: p.Limits, Settings: p.Settings,
	}))
}

// manage runs one worker to the end of its group.
func manage(cmd worker.Command) error {
	runtime.LockOSThread()
	poller, err := poll.New()
	if err != nil {
		return err
	}
	s, err := worker.NewSpawner(worker.Options{Poller: poller})
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	cmd.OnGone = func() { close(stop) }
	s.Start(cmd, func(r worker.StartResult) {
		if r.Err != nil {
			fmt.Fprintln(os.Stderr, r.Err)
			close(stop)
		}
	})
	return s.Main(stop)
}

// accept blocks in accept(2) on descriptor 3, as no Go program does by itself.
func accept([]string) int {
	if err := unix.SetNonblock(3, false); err != nil {
		return failIf(err)
	}
	_, _, err := unix.Accept(3)
	return failIf(err)
}

// serve listens on a port of its own.
func serve(args []string) int {
	l, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	if err != nil {
		return failIf(err)
	}
	fmt.Println("up")
	_, err = l.Accept()
	return failIf(err)
}

// serveHTTP serves on descriptor 3.
func serveHTTP([]string) int {
	l, err := net.FileListener(os.NewFile(3, "http"))
	if err != nil {
		return failIf(err)
	}
	server := &http.Server{}
	return failIf(server.Serve(l))
}

// usageOfParent measures the process that started it, and its tree.
func usageOfParent([]string) int {
	use, err := worker.Usage(os.Getppid())
	if err != nil {
		return failIf(err)
	}
	return failIf(json.NewEncoder(os.Stdout).Encode(use))
}
