package worker

import (
	"syscall"
	"testing"
)

// Wait statuses as wait(2) has them: the code in the second byte, or the signal
// in the first with 0x80 for a core.
func TestExitText(t *testing.T) {
	tests := []struct {
		status  syscall.WaitStatus
		remains bool
		want    string
		shell   int
	}{
		{0, false, "exit 0", 0},
		{3 << 8, false, "exit 3", 3},
		{128 << 8, false, "exit 128", 128},
		{143 << 8, false, "exit 143 (as of SIGTERM)", 143},
		{255 << 8, false, "exit 255", 255},
		{9, false, "SIGKILL", 137},
		{11 | 0x80, false, "SIGSEGV (core dumped)", 139},
		{36, false, "SIGRTMIN+2", 164},
		{0, true, "exit 0, leaving processes behind", 0},
	}
	for _, tt := range tests {
		e := newExit(1, tt.status, &syscall.Rusage{})
		e.Remains = tt.remains
		if got := e.String(); got != tt.want || e.ShellCode() != tt.shell || e.Success() != (tt.status == 0) {
			t.Errorf("%#x: got %q, %d, want %q, %d", tt.status, got, e.ShellCode(), tt.want, tt.shell)
		}
	}
	if got := (Exit{Code: CodeUnknown}).String(); got != "unknown exit status" {
		t.Errorf("got %q", got)
	}
	for status, want := range map[syscall.WaitStatus]bool{15: true, 143 << 8: true, 9: false, 0: false} {
		if e := newExit(1, status, &syscall.Rusage{}); e.EndedBy(syscall.SIGTERM) != want {
			t.Errorf("%#x: ended by SIGTERM: %v", status, !want)
		}
	}
}
