package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

func TestAtOnce(t *testing.T) {
	for _, tt := range []struct {
		config  Config
		members int
		want    int
	}{
		{Config{MaxParallel: 3}, 2, 3},
		{Config{}, 9, 1},
		{Config{MaxParallel: 1, ParallelPercent: 10}, 39, 3},
		{Config{ParallelPercent: 10}, 5, 1},
		{Config{ParallelPercent: 100}, 4000, 4000},
		{Config{MaxParallel: 100_000}, 1, MaxMembers},
	} {
		if got := tt.config.AtOnce(tt.members); got != tt.want {
			t.Errorf("%+v of %d: %d, not %d", tt.config, tt.members, got, tt.want)
		}
	}
}

// Whatever people and workers say fits.
func TestLongWords(t *testing.T) {
	for _, word := range []string{"x", "\"", "\\", "\x00", "\xff", "ä", "<", "\u2028"} {
		long := strings.Repeat(word, 4000)
		r := &Remark{Who: long, Why: long, At: time.Now(), Turn: 1 << 63}
		text, err := State{Paused: r, Failures: 1 << 40, Failed: r}.encode()
		if err != nil || len(text) > lease.MaxMemo {
			t.Errorf("%q makes a memo of %d bytes: %v", word, len(text), err)
		}
		s, err := decode(text)
		if err != nil || s.Failures != 1<<40 || s.Failed == nil || s.Failed.Why == "" || s.Failed.Turn != r.Turn {
			t.Errorf("%q is read as %+v: %v", word, s, err)
		}
		value := Report{Pool: strings.Repeat("p", 64), State: Failed, Generation: 1 << 40, Done: 9999, Workers: 10000, Since: 1 << 40, Why: long}.Encode()
		if back := ReadReport(value); len(value) > lease.MaxValue || back.State != Failed || back.Workers != 10000 {
			t.Errorf("%q makes a value of %d bytes, which is %+v", word, len(value), back)
		}
	}
	if r := ReadReport("?"); r.State != Unknown {
		t.Errorf("%+v", r)
	}
}
