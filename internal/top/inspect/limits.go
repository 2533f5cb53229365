package inspect

import (
	"bytes"
	"errors"
	"strings"
)

// Limit is one line of /proc/PID/limits.
type Limit struct {
	Name, Soft, Hard, Unit string
}

var errLimits = errors.New("they are not as proc_pid_limits(5) says")

func (root proc) limits(pid int) ([]Limit, error) {
	text, err := root.read(pid, "limits")
	if err != nil {
		return nil, err
	}
	return parseLimits(text)
}

// parseLimits reads a table whose columns begin where those of its head do, because names have blanks in them.
func parseLimits(text []byte) ([]Limit, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	soft, hard, unit := bytes.Index(first, []byte("Soft Limit")), bytes.Index(first, []byte("Hard Limit")), bytes.Index(first, []byte("Units"))
	if soft <= 0 || hard <= soft || unit <= hard {
		return nil, errLimits
	}
	var all []Limit
	for l := range strings.Lines(string(rest)) {
		if len(l) < hard {
			return nil, errLimits
		}
		end := min(unit, len(l))
		all = append(all, Limit{
			Name: strings.TrimPrefix(strings.TrimSpace(l[:soft]), "Max "), Soft: strings.TrimSpace(l[soft:hard]),
			Hard: strings.TrimSpace(l[hard:end]), Unit: strings.TrimSpace(l[end:]),
		})
	}
	return all, nil
}
