package compat

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// group is a process and all others of its process group, by /proc.
func group(leader int) []int {
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	var pids []int
	for _, path := range all {
		fields := stat(path)
		if len(fields) > 2 && fields[2] == strconv.Itoa(leader) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// stat gives the fields after the name: state, parent, process group and so on. None if the process is gone.
func stat(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	after := text[strings.LastIndexByte(string(text), ')')+1:]
	return strings.Fields(string(after))
}

// freeze stops a process and waits until every thread of it stands still.
func freeze(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("cannot stop %d: %w", pid, err)
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !frozen(pid) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("cannot stop %d: %w", pid, ctx.Err())
		}
	}
	return nil
}

func frozen(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is well-formed
	return !slices.ContainsFunc(threads, func(path string) bool {
		fields := stat(path)
		return len(fields) > 0 && !strings.Contains("TZX", fields[0])
	})
}

// connections gives the clients' addresses of the connections to a port that these processes have accepted: those in
// the kernel's table whose socket is among their descriptors.
func connections(pids []int, port int) map[string]bool {
	theirs := make(map[string]bool)
	for _, pid := range pids {
		descriptors, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern is well-formed
		for _, path := range descriptors {
			target, err := os.Readlink(path)
			if inode, found := strings.CutPrefix(target, "socket:["); found && err == nil {
				theirs[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return nil
	}
	clients := make(map[string]bool)
	for row := range strings.Lines(string(table)) {
		fields := strings.Fields(row)
		if len(fields) < 10 || !theirs[fields[9]] || !strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		if client, ok := tableAddress(fields[2]); ok {
			clients[client] = true
		}
	}
	return clients
}

// tableAddress reads 0100007F:1F90, which is 127.0.0.1:8080 on a machine of this byte order.
func tableAddress(word string) (string, bool) {
	ip, port, found := strings.Cut(word, ":")
	bytes, err := hex.DecodeString(ip)
	number, portErr := strconv.ParseUint(port, 16, 16)
	if !found || err != nil || portErr != nil || len(bytes) != net.IPv4len {
		return "", false
	}
	slices.Reverse(bytes)
	return net.JoinHostPort(net.IP(bytes).String(), strconv.FormatUint(number, 10)), true
}
