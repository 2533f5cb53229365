package text

import (
	"fmt"
	"time"
)

// Age is a duration in at most six columns: 3.2s, 12m4s, 5h12m, 3d4h.
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	}
}

// Size is a number of bytes in at most five columns: 512B, 4.0K, 12.3M, 512M, 1.5G.
func Size(bytes uint64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%dB", bytes)
	}
	size, unit := float64(bytes), ' '
	for _, unit = range "KMGTPE" {
		if size /= 1024; size < 999.5 {
			break
		}
	}
	if size < 99.95 {
		return fmt.Sprintf("%.1f%c", size, unit)
	}
	return fmt.Sprintf("%.0f%c", size, unit)
}
