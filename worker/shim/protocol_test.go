package shim

import (
	"syscall"
	"testing"
)

func TestParseStatus(t *testing.T) {
	tests := []struct {
		text  string
		stage Stage
		errno syscall.Errno
	}{
		{"", StageNone, 0},
		{"exec", StageExec, 0},
		{"exec 2", StageExec, syscall.ENOENT},
		{"prepare 22", StagePrepare, syscall.EINVAL},
		{"prepare", StagePrepare, 0},
		{"exec 2 ", StageNone, 0},
		{"exec x", StageNone, 0},
		{"exec ", StageNone, 0},
		{"exec 1234567", StageNone, 0},
		{"executed", StageNone, 0},
		{"fatal error: out of memory", StageNone, 0},
	}
	for _, tt := range tests {
		if stage, errno := ParseStatus(tt.text); stage != tt.stage || errno != tt.errno {
			t.Errorf("%q: got %d, %v", tt.text, stage, errno)
		}
	}
	for _, n := range []int{0, 7, 10, 133, 999999} {
		if got, ok := parse(format(n)); !ok || got != n {
			t.Errorf("%d became %q", n, format(n))
		}
	}
}

func TestSetPID(t *testing.T) {
	env := []string{"LISTEN_PID=", "WATCHDOG_PID=7", "LISTEN_PIDFDID=1", "XLISTEN_PID=1", "LISTEN_PID", ""}
	setPID(env, "42")
	want := [...]string{"LISTEN_PID=42", "WATCHDOG_PID=42", "LISTEN_PIDFDID=1", "XLISTEN_PID=1", "LISTEN_PID", ""}
	for i := range want {
		if env[i] != want[i] {
			t.Errorf("got %q, want %q", env[i], want[i])
		}
	}
}
