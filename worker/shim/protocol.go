package shim

// Name is argv[0] of a process that shall act as the shim.
const Name = "brood-exec"

// Exit codes of a shim that could not execute, as those of a shell.
const (
	exitNotFound      = 127
	exitNotExecutable = 126
)

// environ is prefixed to the program's environment and taken off again. The Go
// runtime of the shim takes the first of equal names, so these rule over what the
// program's environment says to the program. With one P it starts no helper
// threads, which would have to be killed by the exec a moment later, and does not
// read its cgroup to find the number of processors. It never collects garbage.
func environ() []string {
	return []string{"GOMAXPROCS=1", "GOGC=off", "GODEBUG=containermaxprocs=0", "GOMEMLIMIT="}
}

// Environ is the environment of a shim up to the point where that of the program
// has to be appended.
func Environ() []string { return environ() }
