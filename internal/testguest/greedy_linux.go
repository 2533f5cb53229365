package testguest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// leak serves, and takes memory at a rate until it is killed or has its fill.
func leak(args []string) int {
	flags := newFlags("leak")
	rate := flags.Int("rate", 50, "how many `MB` a second")
	limit := flags.Int("limit", 2048, "how many `MB` at most")
	var o options
	o.bind(flags)
	if code, ok := parse(flags, args); !ok {
		return code
	}
	if err := followParent(); err != nil {
		return fail(err)
	}
	go take(*rate, *limit) // ends with the process
	return serve(o, inherited)
}

// take maps a megabyte after the other and writes to each page, behind the back of
// the garbage collector.
func take(rate, limit int) {
	tick := time.NewTicker(time.Second / time.Duration(max(rate, 1)))
	defer tick.Stop()
	for range limit {
		block, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			fail(fmt.Errorf("cannot take more memory: %w", err))
			return
		}
		for i := 0; i < len(block); i += os.Getpagesize() {
			block[i] = 1
		}
		<-tick.C
	}
}

// forkbomb starts children as fast as it can, says READY=1, and goes on trying
// when it is not allowed more, until it has as many as it wants. The children
// sleep. They end with it; those that are free live on for half a minute.
func forkbomb(args []string) int {
	flags := newFlags("forkbomb")
	count := flags.Int("children", 1000, "how many at most")
	free := flags.Bool("free", false, "the children live on without it")
	if code, ok := parse(flags, args); !ok {
		return code
	}
	if err := followParent(); err != nil {
		return fail(err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := notify("READY=1"); err != nil {
		return fail(err)
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return fail(err)
	}
	seconds, fate := "600", &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if *free {
		seconds, fate = "30", nil
	}
	keepThreads(12)
	runtime.LockOSThread() // the kernel means the death of the thread that forked
	refused := false
	for started := 0; started < *count; {
		_, err := syscall.ForkExec(sleep, []string{"sleep", seconds}, &syscall.ProcAttr{Sys: fate})
		if err == nil {
			started++
			continue
		}
		if !refused { // once: a bomb need not fill the log as well
			refused = true
			fail(fmt.Errorf("cannot start child %d: %w", started+1, err))
		}
		select {
		case <-signals:
			return 0
		case <-time.After(time.Millisecond):
		}
	}
	<-signals
	return 0
}

// keepThreads has Go's runtime make threads while it may, more than it will need: it ends the process when it is refused one.
func keepThreads(n int) {
	var held, all sync.WaitGroup
	held.Add(n)
	free := make(chan struct{})
	for range n {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			held.Done()
			<-free
		})
	}
	held.Wait()
	close(free)
	all.Wait()
}
