package config

import (
	"os"
	"path/filepath"
	"runtime"
)

// World is what a configuration depends on beside its own text.
type World struct {
	Getenv   func(string) string          // the supervisor's environment
	ReadFile func(string) ([]byte, error) // see ReadRegular
	CPUs     int                          // that the supervisor may use
	// LookupUser says why a user or a group cannot be had, by name or number; nil takes every one for good.
	LookupUser func(user, group string) error
	// Processors says which CPUs there are; nil takes every one for good, and what comes of it is for comparing only.
	Processors func() (Processors, error)
	// Dir is where relative paths of the configuration begin; Load sets it to the directory of the file.
	Dir string
	// Flag is the flag that fills a key, such as --max-surge, for the problems of a File that no file was read for; nil or
	// "" leaves the key's own name.
	Flag func(key string) string
}

// Here is the world of this process. Its CPUs are those that it may use, by affinity and by the quota of its cgroup.
func Here() World {
	return World{Getenv: os.Getenv, ReadFile: ReadRegular, CPUs: runtime.GOMAXPROCS(0)}
}

// absolute makes a path of the configuration one that does not depend on where brood was started.
func (w World) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) || w.Dir == "" {
		return path
	}
	return filepath.Join(w.Dir, path)
}
