package inspect

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Process is one of a worker's processes.
type Process struct {
	PID     int
	Depth   int // below the worker's first, which has 0
	State   byte
	Name    string
	Command []string // as it was started; empty for a zombie. What may be secret is replaced
	CPU     time.Duration
	Threads int
	Memory  uint64 // resident, in bytes
}

// stat is what is needed of /proc/PID/stat.
type stat struct {
	name          string
	state         byte
	parent, group int
	cpu           time.Duration
	threads       int
	pages         uint64
}

var errStat = errors.New("it is not as proc_pid_stat(5) says")

func (root proc) stat(pid int) (stat, error) {
	text, err := root.read(pid, "stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

// parseStat reads "PID (NAME) STATE ..." with fields separated by blanks. NAME is whatever the process calls itself, so only
// the last parenthesis ends it.
func parseStat(text []byte) (stat, error) {
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return stat{}, errStat
	}
	// Numbers of the fields as in the man page, which counts from 1.
	const state, ppid, pgrp, utime, stime, threads, rss = 3, 4, 5, 14, 15, 20, 24
	fields := bytes.Fields(text[end+1:])
	if len(fields) <= rss-state || len(fields[0]) != 1 {
		return stat{}, errStat
	}
	number := func(field int) int {
		n, err := strconv.Atoi(string(fields[field-state]))
		if err != nil {
			return 0
		}
		return max(0, n)
	}
	return stat{
		name: string(text[begin+1 : end]), state: fields[0][0], parent: number(ppid), group: number(pgrp),
		cpu: time.Duration(number(utime)+number(stime)) * tick, threads: number(threads), pages: uint64(number(rss)),
	}, nil
}

// tick is the unit of times in /proc: USER_HZ is 100 on all that Go runs on.
const tick = 10 * time.Millisecond

// mostProcesses bounds what is looked at: nobody reads more.
const mostProcesses = 500

// tree lists a worker with its descendants, children behind their parents. What lost its parent belongs to the supervisor then,
// and is found by the worker's process group.
func (root proc) tree(pid, supervisor int) ([]Process, error) {
	var all []Process
	seen := map[int]bool{supervisor: true}
	var walk func(pid, depth int) error
	walk = func(pid, depth int) error {
		if seen[pid] || len(all) == mostProcesses {
			return nil
		}
		seen[pid] = true
		s, err := root.stat(pid)
		if err != nil {
			return err
		}
		all = append(all, Process{
			PID: pid, Depth: depth, State: s.state, Name: s.name, Command: root.command(pid), CPU: s.cpu,
			Threads: s.threads, Memory: s.pages * uint64(os.Getpagesize()),
		})
		for _, child := range root.children(pid) {
			_ = walk(child, depth+1) // it ended meanwhile
		}
		return nil
	}
	if err := walk(pid, 0); err != nil {
		return nil, err
	}
	for _, child := range root.children(supervisor) {
		if s, err := root.stat(child); err == nil && s.group == pid {
			_ = walk(child, 1)
		}
	}
	return all, nil
}

// children asks every thread, because a child belongs to the thread that forked it.
func (root proc) children(pid int) []int {
	files, _ := filepath.Glob(root.path(pid, "task/*/children"))
	var all []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		for field := range bytes.FieldsSeq(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// command is how a process was started, without what looks like a secret.
func (root proc) command(pid int) []string {
	text, err := root.read(pid, "cmdline")
	if err != nil || len(text) == 0 {
		return nil
	}
	return hideArguments(strings.Split(strings.TrimRight(string(text), "\x00"), "\x00"))
}
