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

// poured is how fast lines came into a file, and what that cost.
type poured struct{ rates, cpu []float64 } // million lines per second; milliseconds per million

// measureLogs: lines of one worker on their way into a file, against cat(1) between the two. Nothing is lost: the
// worker waits, as it does for cat.
func measureLogs(b *bench) ([]row, error) {
	modes := []string{"prefix", "file", "json", "tail"}
	all := map[string]*poured{"cat": {}}
	for range b.rounds {
		if err := b.pourThroughCat(all["cat"]); err != nil {
			return nil, fmt.Errorf("with cat: %w", err)
		}
		for _, mode := range modes {
			if all[mode] == nil {
				all[mode] = &poured{}
			}
			if err := b.pourThroughBrood(mode, all[mode]); err != nil {
				return nil, fmt.Errorf("with mode %s: %w", mode, err)
			}
		}
	}
	var rows []row
	cat := all["cat"]
	for _, mode := range modes {
		least := 0.0
		if mode == "prefix" {
			least = 0.5
		}
		rows = append(rows, atLeastRow("lines of one worker, mode "+mode+" (cat)", cat.rates, all[mode].rates, least, " M/s"))
	}
	for _, mode := range modes {
		rows = append(rows, atLeastRow("CPU of a million lines, mode "+mode+" (cat)", cat.cpu, all[mode].cpu, 0, " ms"))
	}
	return rows, nil
}

func (b *bench) pourThroughCat(into *poured) (err error) {
	out, err := b.newLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discard(out)) }()
	board, err := newBoard()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, board.close()) }()
	from, to, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot create pipe: %w", err)
	}
	worker, cat := exec.Command(b.pour, strconv.Itoa(pourLines)), exec.Command("cat")
	worker.Env, worker.Stdout = append(os.Environ(), board.env()), to
	cat.Stdin, cat.Stdout = from, out
	for _, cmd := range []*exec.Cmd{cat, worker} {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("cannot start %s: %w", cmd.Path, err)
		}
		defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	}
	_, _ = from.Close(), to.Close()
	return into.watch(board, cat.Process.Pid, out)
}

func (b *bench) pourThroughBrood(mode string, into *poured) (err error) {
	out, err := b.newLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discard(out)) }()
	board, err := newBoard()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, board.close()) }()
	k := directKind(append(unhindered(), "--backpressure", "--worker-output", mode)...)
	k.stdout = out
	if mode == "file" {
		k.flags = append(k.flags, "--log-file", out.Name(), "--log-max-size", "0")
	}
	p, err := b.keep(k, 1, []string{board.env()}, hear, b.pour, strconv.Itoa(pourLines))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopQuietly(p)) }()
	if err := p.awaitReady(); err != nil {
		return err
	}
	return into.watch(board, p.cmd.Process.Pid, out)
}

// newLog makes an empty file.
func (b *bench) newLog() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(b.dir, "log"), os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot create log: %w", err)
	}
	return f, nil
}

func discard(f *os.File) error { return errors.Join(f.Close(), os.Remove(f.Name())) }

// watch has the worker of a board begin, and waits until all its lines are in a file.
func (l *poured) watch(b *board, pid int, out *os.File) error {
	if err := b.awaitStarted(1, patience); err != nil {
		return err
	}
	before, err := activity(pid)
	if err != nil {
		return err
	}
	begin := monotonic()
	if err := syscall.Kill(int(b.entries[0].pid), syscall.SIGUSR1); err != nil {
		return fmt.Errorf("cannot have the worker begin: %w", err)
	}
	if err := awaitLines(out); err != nil {
		return err
	}
	took := time.Duration(monotonic() - begin)
	after, err := activity(pid)
	if err != nil {
		return err
	}
	l.rates = append(l.rates, pourLines/1e6/took.Seconds())
	l.cpu = append(l.cpu, float64(after.ticks-before.ticks)*10/(pourLines/1e6))
	return nil
}

// awaitLines looks every millisecond whether a file is as long as all lines are that look like the first.
func awaitLines(f *os.File) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	first := make([]byte, 1024)
	size, begin := int64(0), time.Now()
	for range tick.C {
		if size == 0 {
			n, _ := f.ReadAt(first, 0) // short while the file is
			size = int64(bytes.IndexByte(first[:n], '\n') + 1)
		}
		info, err := f.Stat()
		switch {
		case err != nil:
			return fmt.Errorf("cannot look at log: %w", err)
		case size > 0 && info.Size() == size*pourLines:
			return nil
		case size > 0 && info.Size() > size*pourLines, time.Since(begin) > patience:
			return fmt.Errorf("%d bytes: %w", info.Size(), errTornLines)
		}
	}
	return nil
}
