package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ReadProcessors asks the kernel which CPUs this process may use, and which NUMA nodes they are of. A kernel without NUMA
// has one node.
func ReadProcessors() (Processors, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return Processors{}, fmt.Errorf("cannot ask for affinity: %w", err)
	}
	var p Processors
	for cpu := range maxCPU + 1 {
		if set.IsSet(cpu) {
			p.Allowed = append(p.Allowed, cpu)
		}
	}
	var err error
	p.Nodes, err = readNodes("/sys/devices/system/node", p.Allowed)
	return p, err
}

// readNodes reads the folder of NUMA nodes of the kernel.
func readNodes(dir string, allowed []int) (map[int][]int, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "node[0-9]*", "cpulist"))
	if err != nil {
		return nil, err
	}
	found := map[int][]int{}
	for _, path := range paths {
		node, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "node"))
		if err != nil {
			continue
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken out meanwhile
		}
		if err != nil {
			return nil, err
		}
		word := strings.TrimSpace(string(text))
		if word == "" {
			continue // a node of memory alone
		}
		list, err := parseCPUList(word)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", path, err)
		}
		list = slices.DeleteFunc(list, func(cpu int) bool { return !slices.Contains(allowed, cpu) })
		if len(list) > 0 {
			found[node] = list
		}
	}
	if len(found) == 0 {
		found[0] = allowed
	}
	return found, nil
}
