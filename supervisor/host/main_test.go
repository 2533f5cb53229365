package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// roleEnv makes the test binary a program with a supervisor in it.
const roleEnv = "HOST_TEST_ROLE"

func init() {
	if os.Getenv(roleEnv) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := embed(role); err != nil {
		fmt.Println("ended:", err)
		return
	}
	fmt.Println("ended well")
}

// embed has one worker, and ends as the role says.
func embed(role string) error {
	opt := host.Options{Name: "embedded"}
	if role == "reload" {
		opt.Load = func() (plan.Desired, error) { return plan.Desired{Pools: make([]plan.Pool, 1)}, nil }
	}
	h, err := host.New(opt)
	if err != nil {
		return err
	}
	defer h.Close()
	switch role {
	case "idle":
		return h.Run(context.Background())
	case "closed":
		h.Close()
		return outlive(syscall.SIGTERM)
	}
	pool, err := host.NewPool("sleeping", []string{"sleep", "1000"})
	if err != nil {
		return err
	}
	pool.Spec.Workers, pool.Ready = 1, worker.Readiness{Kind: worker.ReadyDelay, Delay: time.Millisecond}
	if role == "unclean" {
		pool.PreStart = []string{"exit 3"}
	}
	sup, err := h.Supervise(plan.Desired{Pools: []plan.Pool{pool}})
	if err != nil {
		return err
	}
	run := func(words string) {
		cmd := worker.Command{
			Argv: []string{"sh", "-c", words}, Env: os.Environ(),
			Stdin: worker.DevNull, Stdout: int(os.Stdout.Fd()), Stderr: worker.DevNull,
		}
		if err := h.World().Run(context.Background(), cmd, "sh"); err != nil {
			fmt.Println(err)
		}
	}
	h.AtEnd(func(<-chan os.Signal) { run("echo at the end; exit 4") })
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if role == "unclean" {
			return
		}
		for {
			changed := sup.Changed()
			if sup.Published().State == supervisor.StateReady {
				break
			}
			<-changed
		}
		run("echo ready")
		if role == "reload" {
			fmt.Println(sup.Do(context.Background(), supervisor.Request{Verb: supervisor.Reload, UID: supervisor.Nobody}).Err)
		}
		stop()
	}()
	err = h.Run(ctx)
	<-watched
	return err
}

// outlive sends a signal to this process, which is to die of it.
func outlive(sig syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		return err
	}
	<-time.After(5 * time.Second)
	return fmt.Errorf("nobody ends by %v", sig)
}

// Who goes on after Close without a supervisor has the signals back.
func TestCloseGivesSignalsBack(t *testing.T) {
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), roleEnv+"=closed")
	out, err := program.Output()
	if died, ok := errors.AsType[*exec.ExitError](err); !ok || died.String() != "signal: terminated" {
		t.Errorf("told to end it said %q and ended with %v", out, err)
	}
}

// A program stops its supervisor by its context, and can run commands as long as that has not returned.
func TestRun(t *testing.T) {
	for role, want := range map[string]string{
		"stop":    "ready\nat the end\nsh ended with exit 4\nended well\n",
		"reload":  "ready\nreload failed: cannot run pool 1 of 1: it has no name\nat the end\nsh ended with exit 4\nended well\n",
		"idle":    "ended: cannot run supervisor: there is nothing to run: call Supervise first\n",
		"unclean": "at the end\nsh ended with exit 4\nended: " + host.ErrUnclean.Error() + "\n",
	} {
		t.Run(role, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			program := exec.CommandContext(ctx, os.Args[0])
			program.Env = append(os.Environ(), roleEnv+"="+role)
			var log strings.Builder
			program.Stderr = &log
			out, err := program.Output()
			if err != nil || string(out) != want {
				t.Errorf("it said\n%sand ended with %v, want\n%sits log:\n%s", out, err, want, log.String())
			}
		})
	}
}
