package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// boardEnv tells a worker where the board is.
const boardEnv = "BENCH_BOARD"

// entry and page have the layout of testdata/board.h.
type entry struct {
	pid, _  int32
	startNS int64
	hupNS   int64
	_       int64
}

type page struct {
	taken                  uint32
	started, startedTarget uint32
	hupped, huppedTarget   uint32
	bell                   uint32
	_                      [10]uint32
	entries                [16384]entry
}

// board is the memory that workers write their times to.
type board struct {
	fd  int
	mem []byte
	*page
}

var errSilent = errors.New("the workers did not come that far in time")

func newBoard() (*board, error) {
	fd, err := unix.MemfdCreate("board", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot create board: %w", err)
	}
	size := int(unsafe.Sizeof(page{}))
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot size board: %w", err), unix.Close(fd))
	}
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot map board: %w", err), unix.Close(fd))
	}
	return &board{fd: fd, mem: mem, page: (*page)(unsafe.Pointer(unsafe.SliceData(mem)))}, nil
}

func (b *board) close() error {
	b.page = nil
	return errors.Join(unix.Munmap(b.mem), unix.Close(b.fd))
}

// env is what a worker needs to find the board.
func (b *board) env() string {
	return fmt.Sprintf("%s=/proc/%d/fd/%d", boardEnv, os.Getpid(), b.fd)
}

// awaitStarted waits until so many workers have run since the board was made.
func (b *board) awaitStarted(n int, within time.Duration) error {
	return b.await(&b.started, &b.startedTarget, n, within)
}

// awaitHupped waits until handlers of SIGHUP have run so many times.
func (b *board) awaitHupped(n int, within time.Duration) error {
	return b.await(&b.hupped, &b.huppedTarget, n, within)
}

func (b *board) await(counter, target *uint32, n int, within time.Duration) error {
	atomic.StoreUint32(target, uint32(n))
	for end := time.Now().Add(within); ; {
		bell := atomic.LoadUint32(&b.bell)
		have := atomic.LoadUint32(counter)
		if int(have) >= n {
			return nil
		}
		left := time.Until(end)
		if left <= 0 {
			return fmt.Errorf("%d of %d: %w", have, n, errSilent)
		}
		wait := unix.NsecToTimespec(left.Nanoseconds())
		// FUTEX_WAIT returns at once if the bell has rung since it was read.
		_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.bell)), 0, uintptr(bell),
			uintptr(unsafe.Pointer(&wait)), 0, 0)
	}
}

// lastStart is when the last of the workers from the given one on began.
func (b *board) lastStart(from, to int) int64 {
	var last int64
	for _, e := range b.entries[from:to] {
		last = max(last, e.startNS)
	}
	return last
}

func (b *board) lastHup() int64 {
	var last int64
	for _, e := range b.entries[:b.taken] {
		last = max(last, e.hupNS)
	}
	return last
}

// monotonic is the clock that workers write down.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(fmt.Sprintf("cannot read the monotonic clock: %v", err)) // the kernel always has it
	}
	return t.Nano()
}
