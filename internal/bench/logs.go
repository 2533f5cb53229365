package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// pourLines is how many lines of 100 bytes a worker writes without a pause.
const pourLines = 2_000_000

var errTornLines = errors.New("lines are missing or torn")

// carrier brings what a worker writes into a file.
type carrier struct {
	name  string
	start func(b *bench, env, dir string) (*carrying, error) // env is what the worker needs
}

// carrying is one that runs.
type carrying struct {
	pid  int
	file string
	stop func() error
}

// poured is how fast lines came into a file, and what that cost.
type poured struct{ rates, cpu []float64 } // million lines per second; milliseconds per million

// measureLogs: lines of one worker on their way into a file, against cat(1) between the two, and against others who do
// that, if they are installed. With brood nothing is lost: the worker waits, as it does for cat.
func measureLogs(b *bench) ([]row, error) {
	modes := []string{"prefix", "file", "json", "tail"}
	carriers := []carrier{catCarrier()}
	for _, mode := range modes {
		carriers = append(carriers, broodCarrier(mode))
	}
	carriers = append(carriers, peerCarriers()...)
	all := map[string]*poured{}
	for range b.rounds {
		for _, c := range carriers {
			if all[c.name] == nil {
				all[c.name] = &poured{}
			}
			if err := b.pourThrough(c, all[c.name]); err != nil {
				return nil, fmt.Errorf("with %s: %w", c.name, err)
			}
		}
	}
	var rows []row
	compare := func(what, floor, mode string, least float64) {
		name := fmt.Sprintf("of one worker, mode %s (floor: %s)", mode, floor)
		if what == "CPU" {
			rows = append(rows, atLeastRow("CPU of a million lines "+name, all[floor].cpu, all[mode].cpu, 0, " ms"))
			return
		}
		rows = append(rows, atLeastRow("lines "+name, all[floor].rates, all[mode].rates, least, " M/s"))
	}
	compare("lines", "cat", "prefix", 0.5)
	for _, mode := range modes[1:] {
		compare("lines", "cat", mode, 0)
	}
	for _, mode := range modes {
		compare("CPU", "cat", mode, 0)
	}
	for _, c := range carriers[1+len(modes):] {
		compare("lines", c.name, "file", 0)
		compare("CPU", c.name, "file", 0)
	}
	return rows, nil
}

func (b *bench) pourThrough(c carrier, into *poured) (err error) {
	dir, err := os.MkdirTemp(b.dir, "logs-")
	if err != nil {
		return fmt.Errorf("cannot create directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	board, err := newBoard()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, board.close()) }()
	running, err := c.start(b, board.env(), dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.stop()) }()
	return into.watch(board, running)
}

// broodCarrier is brood in one of its modes.
func broodCarrier(mode string) carrier {
	return carrier{mode, func(b *bench, env, dir string) (*carrying, error) {
		path := filepath.Join(dir, "log")
		out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, fmt.Errorf("cannot create log: %w", err)
		}
		defer func() { _ = out.Close() }()
		k := directKind(append(unhindered(), "--backpressure", "--worker-output", mode)...)
		k.stdout = out
		if mode == "file" {
			k.flags = append(k.flags, "--log-file", path, "--log-max-size", "0")
		}
		p, err := b.keep(k, 1, []string{env}, hear, b.pour, strconv.Itoa(pourLines))
		if err != nil {
			return nil, err
		}
		stop := func() error { return stopQuietly(p) }
		if err := p.awaitReady(); err != nil {
			return nil, errors.Join(err, stop())
		}
		return &carrying{p.cmd.Process.Pid, path, stop}, nil
	}}
}

// watch has the worker of a board begin, and waits until all its lines are in the file.
func (l *poured) watch(b *board, c *carrying) error {
	if err := b.awaitStarted(1, patience); err != nil {
		return err
	}
	before, err := activity(c.pid)
	if err != nil {
		return err
	}
	begin := monotonic()
	if err := syscall.Kill(int(b.entries[0].pid), syscall.SIGUSR1); err != nil {
		return fmt.Errorf("cannot have the worker begin: %w", err)
	}
	if err := awaitLines(c.file); err != nil {
		return err
	}
	took := time.Duration(monotonic() - begin)
	after, err := activity(c.pid)
	if err != nil {
		return err
	}
	l.rates = append(l.rates, pourLines/1e6/took.Seconds())
	l.cpu = append(l.cpu, float64(after.ticks-before.ticks)*10/(pourLines/1e6))
	return nil
}

// awaitLines looks every millisecond whether a file is as long as all lines are that look like the first.
func awaitLines(path string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	size, begin := int64(0), time.Now()
	for range tick.C {
		if size == 0 {
			size = firstLine(path)
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && size > 0 && info.Size() == size*pourLines:
			return nil
		case err == nil && size > 0 && info.Size() > size*pourLines, time.Since(begin) > patience:
			return fmt.Errorf("cannot find %d lines of %d bytes in %s: %w", pourLines, size, path, errors.Join(err, errTornLines))
		}
	}
	return nil
}

// firstLine is how long it is; 0 if it is not there yet.
func firstLine(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, 1024)
	n, _ := f.Read(b) // nothing of an empty file
	return int64(bytes.IndexByte(b[:n], '\n') + 1)
}

// ending starts a program, which ends with the bench, and gives what ends it.
func ending(cmd *exec.Cmd) (stop func() error, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", cmd.Path, err)
	}
	return func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait() // of the signal, or of its own accord
		return nil
	}, nil
}
