package cgroup

import (
	"strconv"
	"strings"
)

// keyed reads one number of a "flat keyed" file, such as "populated 1\nfrozen 0\n". What is not there is 0.
func keyed(text, key string) uint64 {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if name == key {
			n, _ := strconv.ParseUint(value, 10, 64)
			return n
		}
	}
	return 0
}

// single reads a file of one number. "max" is Unlimited, and what is no number is 0.
func single(text string) uint64 {
	text = strings.TrimSpace(text)
	if text == "max" {
		return Unlimited
	}
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}
