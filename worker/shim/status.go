package shim

import "syscall"

// Stage is how far a shim came.
type Stage uint8

// The stages in their order.
const (
	StageNone       Stage = iota // it died before it could say anything
	StagePrepare                 // it could not read its orders
	StageLimit                   // a limit was refused
	StageNice                    // the nice value was refused
	StageIOPriority              // the I/O priority was refused
	StageOOMScore                // the OOM score was refused
	StageCPUs                    // none of the CPUs can be had
	StageBound                   // the bounding set of capabilities could not be made smaller
	StageIdentity                // the user or its groups were refused
	StageDir                     // the directory is closed to the user
	StageCapability              // a capability could not be kept
	StageNoNewPrivs              // no_new_privs was refused
	StageDeadman                 // nobody can be told when it has to die, or it has to be dead already
	StageExec                    // execve(2) was reached
)

// word is the first one of a status text.
func (s Stage) word() string {
	switch s {
	case StageNone:
	case StagePrepare:
		return "prepare"
	case StageLimit:
		return "limit"
	case StageNice:
		return "nice"
	case StageIOPriority:
		return "ioprio"
	case StageOOMScore:
		return "oom"
	case StageCPUs:
		return "cpus"
	case StageBound:
		return "bound"
	case StageIdentity:
		return "identity"
	case StageDir:
		return "dir"
	case StageCapability:
		return "capability"
	case StageNoNewPrivs:
		return "no-new-privs"
	case StageDeadman:
		return "deadman"
	case StageExec:
		return "exec"
	}
	return ""
}

// hasResource tells the stages that are of many things, of which one is to blame.
func (s Stage) hasResource() bool { return s == StageLimit || s == StageCapability }

// Status is the outcome of a shim.
type Status struct {
	Stage Stage
	Errno syscall.Errno // 0 at StageExec: the program runs
	// Resource is that of the limit, or the number of the capability, that was refused.
	Resource int
}

// ParseStatus reads what came out of a status pipe up to its end: the stage's word,
// an errno if it failed there, and the resource where there is one. Text that no shim
// writes is StageNone.
func ParseStatus(text string) Status {
	for stage := StagePrepare; stage <= StageExec; stage++ {
		word := stage.word()
		if len(text) < len(word) || text[:len(word)] != word {
			continue
		}
		numbers, ok := numbersAfter(text[len(word):])
		switch {
		case !ok, len(numbers) > 2, len(numbers) == 2 && !stage.hasResource():
			return Status{}
		case len(numbers) == 0:
			return Status{Stage: stage}
		case len(numbers) == 1:
			return Status{Stage: stage, Errno: syscall.Errno(numbers[0])}
		}
		return Status{Stage: stage, Errno: syscall.Errno(numbers[0]), Resource: int(numbers[1])}
	}
	return Status{}
}

// numbersAfter reads small numbers, each with a blank before it.
func numbersAfter(text string) (numbers []uint64, ok bool) {
	for text != "" {
		if text[0] != ' ' {
			return nil, false
		}
		var n uint64
		if n, text, ok = number(text[1:]); !ok || n > 1<<16 {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

// number reads a decimal number from the beginning of text; strconv would have to
// be initialised.
func number(text string) (n uint64, rest string, ok bool) {
	at := 0
	for ; at < len(text) && text[at] >= '0' && text[at] <= '9'; at++ {
		digit := uint64(text[at] - '0')
		if n > (1<<64-1-digit)/10 {
			return 0, text, false
		}
		n = n*10 + digit
	}
	return n, text[at:], at > 0
}

// format is the reverse of number.
func format(n uint64) string {
	var digits [20]byte
	at := len(digits)
	for {
		at--
		digits[at] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(digits[at:])
		}
	}
}
