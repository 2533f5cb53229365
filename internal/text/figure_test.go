package text

import (
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	for n, want := range map[uint64]string{0: "0B", 1023: "1023B", 1024: "1.0K", 10 << 10: "10.0K", 310 << 20: "310M", 5 << 29: "2.5G", 1<<64 - 1: "16.0E"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.0s", 9900 * time.Millisecond: "9.9s", 42 * time.Second: "42s", 724 * time.Second: "12m4s", 312 * time.Minute: "5h12m", 76 * time.Hour: "3d4h",
	} {
		if got := Age(d); got != want {
			t.Errorf("Age(%s) = %s, want %s", d, got, want)
		}
	}
}
