package remote

import "time"

// Clock counts time since the machine was started, also while it is suspended. Nobody can set it.
type Clock interface {
	Now() time.Duration

	// AfterFunc calls f at that time, or soon after it, from a goroutine of its own. Stop returns when f has returned
	// or will never be called.
	AfterFunc(at time.Duration, f func()) (stop func(), err error)
}
