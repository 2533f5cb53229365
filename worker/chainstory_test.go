package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// run is what each program of a chain does beside its main thread.
func (c *chain) run() error {
	if c.Round == 0 {
		if err := c.begin(); err != nil {
			return err
		}
	}
	c.await(func() bool { return c.Signals["SIGUSR1"] == c.Round }) // those of let
	c.await(func() bool {
		for i, w := range c.Workers {
			if i != c.talker() && i%c.Rounds < c.Round && w.Gone == 0 {
				return false
			}
		}
		return true
	})
	if c.Round < c.Rounds {
		return c.replace(func(link int) worker.Replacement { c.letGo(); return itself(link) })
	}
	return c.end()
}

// letGo has some workers end while the program is being replaced, and sends a signal that must not get lost.
func (c *chain) letGo() {
	for i, w := range c.Workers {
		if i%c.Rounds == c.Round {
			_, _ = unix.Write(w.Input, []byte("\n"))
		}
	}
	_ = unix.Kill(os.Getpid(), unix.SIGUSR1)
}

// begin starts the workers: some end by a status of their own, some have left others behind, one talks.
func (c *chain) begin() error {
	for i := range chained * c.Rounds {
		script := "echo > ${TMPDIR:-/tmp/chain-nobody}/file; read _; exit " + strconv.Itoa(i)
		switch {
		case i/c.Rounds == 1 && c.tree != nil:
			script = "setsid sh -c 'read _ <&3' & exit " + strconv.Itoa(i)
		case i/c.Rounds == 1:
			script = "(read _ <&3) & exit " + strconv.Itoa(i)
		case i/c.Rounds != 2:
			script = "read _; exit " + strconv.Itoa(i)
		}
		cmd := worker.Command{Argv: []string{"/bin/sh", "-c", script}, Stdout: worker.DevNull, Stderr: 2, ListenPID: i%2 == 0}
		if i/c.Rounds == 2 {
			cmd.PrivateTmp = c.tmp.Next(strconv.Itoa(i))
			cmd.Env = []string{"TMPDIR=" + cmd.PrivateTmp.Path()}
		}
		if err := c.start(i, cmd); err != nil {
			return err
		}
	}
	if err := c.start(c.talker(), worker.Command{
		Argv: []string{"/proc/self/exe"}, Env: append(as("talk"), handshake.EnvNotifySocket+"="+c.notify.Address()), Stdout: worker.DevNull, Stderr: 2,
	}); err != nil {
		return err
	}
	c.await(func() bool { return c.Heard > 0 })
	for i := range c.Rounds {
		c.await(func() bool { return len(c.Workers[c.Rounds+i].Exits) == 1 })
	}
	if err := c.fail(); err != nil {
		return err
	}
	fmt.Println("up")
	return nil
}

func (c *chain) talker() int { return chained*c.Rounds + c.Rounds } // never let go by a round

func (c *chain) start(i int, cmd worker.Command) error {
	var in [2]int
	if err := syscall.Pipe2(in[:], syscall.O_CLOEXEC); err != nil {
		return err
	}
	defer syscall.Close(in[0])
	cmd.Stdin, cmd.Files, cmd.OnExit, cmd.OnGone = in[0], []int{in[0]}, c.onExit(i), c.onGone(i)
	l := &live{tmp: cmd.PrivateTmp}
	if c.tree != nil {
		l.group = c.tree.Group("web", groupName(i), cgroup.Limits{}, nil)
		cmd.Group = l.group
	}
	c.note(func() { c.Workers[i], c.live[i] = &linked{Input: in[1]}, l })
	result := startAndWait(c.spawner, cmd)
	l.process = result.Process
	return result.Err
}

// end lets the last ones go, and tells what it has seen.
func (c *chain) end() error {
	_ = unix.Close(c.Workers[c.talker()].Input)
	c.await(func() bool { return c.Workers[c.talker()].Gone > 0 && c.Said > 0 })
	if code, err := c.once(worker.Command{Argv: []string{c.Binary, "-c", "exit 5"}, Program: c.program}); err != nil || code != 5 {
		c.fault(fmt.Errorf("the kept program: %d, %w", code, err))
	}
	c.checkOpenFiles()
	c.tmp.Close(context.Background())
	if c.tree != nil {
		c.tree.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.NewEncoder(os.Stdout).Encode(&c.link)
}

// once runs a command to its end.
func (c *chain) once(cmd worker.Command) (int, error) {
	exits := make(chan worker.Exit, 1)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.OnExit = worker.DevNull, worker.DevNull, 2, func(e worker.Exit) { exits <- e }
	if r := startAndWait(c.spawner, cmd); r.Err != nil {
		return 0, r.Err
	}
	return (<-exits).Code, nil
}
