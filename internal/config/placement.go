package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Processors are the CPUs that brood may use, by the numbers of the kernel, in order.
type Processors struct {
	Allowed []int
	Nodes   map[int][]int // of those the ones of each NUMA node that has any
}

// placement is where the workers of a pool run.
type placement struct {
	how  placing
	node int   // with oneNode
	list []int // with listed
}

type placing uint8

const (
	spread  placing = iota // each slot on the next CPU
	nodes                  // each slot on the next NUMA node
	oneNode                // all on one NUMA node
	listed                 // all on these CPUs
)

// maxCPU is the highest number that a set of x/sys/unix has room for.
const maxCPU = 1023

var (
	errPlacement = errors.New("it is spread, nodes, node:NUMBER, or a list of CPUs such as 0-3,8")
	errCPUList   = fmt.Errorf("it is a list of CPUs such as 0-3,8, each from 0 to %d", maxCPU)
)

func parsePlacement(word string) (placement, error) {
	switch word {
	case "spread":
		return placement{how: spread}, nil
	case "nodes":
		return placement{how: nodes}, nil
	}
	if number, ok := strings.CutPrefix(word, "node:"); ok {
		n, err := strconv.Atoi(number)
		if err != nil || !digits(number) {
			return placement{}, errPlacement
		}
		return placement{how: oneNode, node: n}, nil
	}
	if strings.Trim(word, "0123456789,-") != "" {
		return placement{}, hinted(errPlacement, didYouMeanOnly(word, []string{"spread", "nodes"}))
	}
	list, err := parseCPUList(word)
	return placement{how: listed, list: list}, err
}

// parseCPUList reads a list as of cpuset(7): numbers and ranges, in any order. It is returned in order, each once.
func parseCPUList(text string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || !digits(from) || !digits(to) || first > last || last > maxCPU {
			return nil, errCPUList
		}
		for cpu := first; cpu <= last; cpu++ {
			list = append(list, cpu)
		}
		if len(list) > 2*maxCPU {
			list = distinct(list) // so that no text makes it long
		}
	}
	return distinct(list), nil
}

func distinct(list []int) []int {
	slices.Sort(list)
	return slices.Compact(list)
}

// of returns the sets of CPUs that the slots get in turn.
func (p placement) of(there Processors) ([][]int, error) {
	var sets [][]int
	switch p.how {
	case spread:
		for _, cpu := range there.Allowed {
			sets = append(sets, []int{cpu})
		}
	case nodes:
		for _, node := range slices.Sorted(maps.Keys(there.Nodes)) {
			sets = append(sets, there.Nodes[node])
		}
	case oneNode:
		set := there.Nodes[p.node]
		if set == nil {
			return nil, hinted(fmt.Errorf("brood may use no CPU of node %d", p.node), "nodes with CPUs: "+numbers(slices.Sorted(maps.Keys(there.Nodes))))
		}
		sets = [][]int{set}
	case listed:
		for _, cpu := range p.list {
			if !slices.Contains(there.Allowed, cpu) {
				return nil, hinted(fmt.Errorf("brood may not use CPU %d", cpu), "it may use "+numbers(there.Allowed))
			}
		}
		sets = [][]int{p.list}
	}
	return sets, nil
}

// elsewhere stands for the sets on a machine that nobody asked: to be compared, not used. No CPU has such a number.
func (p placement) elsewhere() [][]int {
	return [][]int{append([]int{-1 - int(p.how), p.node}, p.list...)}
}

// numbers writes some numbers, and the first and last of many.
func numbers(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	if n := len(words); n > 16 {
		words = append(words[:8:8], "...", words[n-1])
	}
	return strings.Join(words, ", ")
}
