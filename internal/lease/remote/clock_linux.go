package remote

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Boottime is the machine's clock CLOCK_BOOTTIME. Go's own timers stand still while a machine is suspended, and would
// tell of a deadline that much too late.
type Boottime struct{}

// Now reads the clock.
func (Boottime) Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("cannot read CLOCK_BOOTTIME, which Linux has since 2.6.39: " + err.Error())
	}
	return time.Duration(ts.Nano())
}

// AfterFunc has the kernel tell.
func (Boottime) AfterFunc(at time.Duration, f func()) (stop func(), err error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("cannot make a timer: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "timerfd")
	// A time of 0 would switch it off.
	when := unix.ItimerSpec{Value: unix.NsecToTimespec(max(int64(at), 1))}
	if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME, &when, nil); err != nil {
		timer.Close()
		return nil, fmt.Errorf("cannot set a timer: %w", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := timer.Read(make([]byte, 8)); err == nil {
			f()
		}
	}()
	return func() {
		timer.Close()
		<-done
	}, nil
}
