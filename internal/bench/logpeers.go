package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// catCarrier is the least that can stand between a worker and a file.
func catCarrier() carrier {
	return carrier{"cat", func(b *bench, env, dir string) (*carrying, error) {
		return b.filter(env, filepath.Join(dir, "log"), "cat")
	}}
}

// peerCarriers are those of the others that are installed.
func peerCarriers() []carrier {
	var all []carrier
	for _, c := range []carrier{
		{"s6-log", func(b *bench, env, dir string) (*carrying, error) {
			return b.filter(env, filepath.Join(dir, "current"), "s6-log", "-b", "n1", "s268435455", dir)
		}},
		{"supervisord", func(b *bench, env, dir string) (*carrying, error) {
			path, conf := filepath.Join(dir, "log"), filepath.Join(dir, "conf")
			text := fmt.Sprintf("[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%s/pid\n"+
				"[program:pour]\ncommand=%s %d\nstdout_logfile=%s\nstdout_logfile_maxbytes=0\n", dir, b.pour, pourLines, path)
			if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
				return nil, fmt.Errorf("cannot write configuration: %w", err)
			}
			return peer(env, path, "supervisord", "-c", conf)
		}},
		{"pm2-runtime", func(b *bench, env, dir string) (*carrying, error) {
			path := filepath.Join(dir, "log")
			return peer(env+"\nPM2_HOME="+dir, path, "pm2-runtime", "start", b.pour, "--interpreter", "none", "--output", path, "--", strconv.Itoa(pourLines))
		}},
	} {
		if _, err := exec.LookPath(c.name); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// peer starts a supervisor that starts the worker.
func peer(env, path string, argv ...string) (*carrying, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), strings.Split(env, "\n")...)
	stop, err := ending(cmd)
	if err != nil {
		return nil, err
	}
	return &carrying{cmd.Process.Pid, path, stop}, nil
}

// filter starts the worker, and a program that reads from it; what that writes to its stdout is the file.
func (b *bench) filter(env, path string, argv ...string) (*carrying, error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot create log: %w", err)
	}
	defer func() { _ = out.Close() }()
	from, to, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot create pipe: %w", err)
	}
	defer func() { _, _ = from.Close(), to.Close() }()
	reads, worker := exec.Command(argv[0], argv[1:]...), exec.Command(b.pour, strconv.Itoa(pourLines))
	reads.Stdin, reads.Stdout = from, out
	worker.Env, worker.Stdout = append(os.Environ(), env), to
	stopReader, err := ending(reads)
	if err != nil {
		return nil, err
	}
	stopWorker, err := ending(worker)
	if err != nil {
		return nil, errors.Join(err, stopReader())
	}
	return &carrying{reads.Process.Pid, path, func() error { return errors.Join(stopWorker(), stopReader()) }}, nil
}
