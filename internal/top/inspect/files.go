package inspect

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Files are the descriptors that a worker's first process has open.
type Files struct {
	Total int
	Kinds []Kind // the most frequent first
	Open  []File // the first of them, by number
}

// Kind is how many descriptors are of one kind.
type Kind struct {
	Name  string
	Count int
}

// File is an open descriptor and what it is of.
type File struct {
	FD     int
	Target string // as proc_pid_fd(5) names it
}

// mostFiles bounds the list; all are counted.
const mostFiles = 200

func (root proc) files(pid int) (Files, error) {
	dir := root.path(pid, "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Files{}, kind(err)
	}
	var f Files
	counts := map[string]int{}
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		fd, notNumber := strconv.Atoi(e.Name())
		if err != nil || notNumber != nil {
			continue // closed meanwhile
		}
		f.Total++
		counts[kindOf(target)]++
		f.Open = append(f.Open, File{FD: fd, Target: target})
	}
	slices.SortFunc(f.Open, func(a, b File) int { return a.FD - b.FD })
	f.Open = f.Open[:min(len(f.Open), mostFiles)]
	for name, n := range counts {
		f.Kinds = append(f.Kinds, Kind{Name: name, Count: n})
	}
	slices.SortFunc(f.Kinds, func(a, b Kind) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Name, b.Name)) })
	return f, nil
}

// kindOf is what a descriptor is of, by what its link says: socket:[1], pipe:[1], anon_inode:[eventpoll], /memfd:name, a path.
func kindOf(target string) string {
	name, _, _ := strings.Cut(target, ":")
	switch {
	case strings.HasPrefix(target, "/memfd:"):
		return "memory"
	case strings.HasPrefix(target, "/dev/"):
		return "device"
	case strings.HasPrefix(target, "/"):
		return "file"
	case name == "anon_inode":
		return strings.Trim(strings.TrimPrefix(target, "anon_inode:"), "[]")
	}
	return name
}
