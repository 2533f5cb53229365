package shim

import "syscall"

// Name is argv[0] of a process that shall act as the shim. The arguments after
// it are the number of the status descriptor, the path to execute, and the
// program's argv. The status descriptor is the last inherited one.
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

// Stage is how far a shim came.
type Stage uint8

// The stages in their order.
const (
	StageNone    Stage = iota // it died before it could say anything
	StagePrepare              // something before execve(2) failed
	StageExec                 // execve(2) was reached
)

const (
	wordPrepare = "prepare"
	wordExec    = "exec"
)

// ParseStatus reads what came out of a status pipe up to its end. Text that no
// shim writes counts as StageNone.
func ParseStatus(text string) (Stage, syscall.Errno) {
	for _, word := range []struct {
		text  string
		stage Stage
	}{{wordPrepare, StagePrepare}, {wordExec, StageExec}} {
		if len(text) < len(word.text) || text[:len(word.text)] != word.text {
			continue
		}
		rest := text[len(word.text):]
		if rest == "" {
			return word.stage, 0
		}
		if rest[0] != ' ' {
			return StageNone, 0
		}
		errno, ok := parse(rest[1:])
		if !ok {
			return StageNone, 0
		}
		return word.stage, syscall.Errno(errno)
	}
	return StageNone, 0
}

// parse reads a small decimal number; strconv would have to be initialised.
func parse(s string) (n int, ok bool) {
	if s == "" || len(s) > 6 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// format is the reverse of parse.
func format(n int) string {
	var digits [20]byte
	at := len(digits)
	for {
		at--
		digits[at] = byte('0' + n%10)
		if n /= 10; n <= 0 {
			return string(digits[at:])
		}
	}
}
