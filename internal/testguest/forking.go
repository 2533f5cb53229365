package testguest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// forking starts children in its own process group and does not wait for them:
// when it ends, by TERM or at once, they stay. It says READY=1 when all run.
func forking(args []string) int {
	flags := newFlags("forking")
	count := flags.Int("children", 2, "how many")
	ignore := flags.Bool("ignore", false, "the children ignore TERM")
	leave := flags.Bool("leave", false, "end at once")
	pids := flags.String("pids", "", "`file` for the pids of the children, one a line")
	if code, ok := parse(flags, args); !ok {
		return code
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)

	var list strings.Builder
	for range *count {
		words := []string{Word, "child"}
		if *ignore {
			words = append(words, "-ignore")
		}
		pid, err := startChild(words)
		if err != nil {
			return fail(err)
		}
		fmt.Fprintln(&list, pid)
	}
	if *pids != "" {
		if err := os.WriteFile(*pids, []byte(list.String()), 0o644); err != nil {
			return fail(err)
		}
	}
	if err := notify("READY=1"); err != nil {
		return fail(err)
	}
	if !*leave {
		<-signals
	}
	return 0
}

// startChild returns when the child has set up its signals.
func startChild(words []string) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, words...)
	cmd.Stderr = os.Stderr
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		return 0, fmt.Errorf("child %d did not start: %w", cmd.Process.Pid, err)
	}
	return cmd.Process.Pid, nil
}

// child lives until TERM, or beyond it.
func child(args []string) int {
	flags := newFlags("child")
	ignore := flags.Bool("ignore", false, "ignore TERM")
	if code, ok := parse(flags, args); !ok {
		return code
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	fmt.Println() // to startChild; later writes would meet a closed pipe
	<-signals
	if *ignore {
		select {}
	}
	return 0
}
