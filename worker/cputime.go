package worker

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// CPUTime is what Use.CPU of Usage says, for a worker and its descendants alone:
// those of its group that lost their parent do not count. It reads a file for each
// process and each thread, some ten microseconds in all for most, so it can be asked
// every second. An error that wraps os.ErrProcessDone says that none is left.
func CPUTime(pid int) (time.Duration, error) {
	tree, used, found := []int{pid}, time.Duration(0), false
	for i := 0; i < len(tree); i++ { // grows while we go
		s, err := statOf(tree[i])
		if errors.Is(err, os.ErrProcessDone) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("cannot read CPU time of process %d: %w", pid, err)
		}
		found, used = true, used+s.cpu
		next, err := children(tree[i])
		if err != nil && !isGoneError(err) {
			return 0, fmt.Errorf("cannot list processes of %d: %w", pid, err)
		}
		for _, child := range next {
			if !slices.Contains(tree, child) {
				tree = append(tree, child)
			}
		}
	}
	if !found {
		return 0, fmt.Errorf("cannot read CPU time of process %d: %w", pid, os.ErrProcessDone)
	}
	return used, nil
}
