package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// patience is for machines with much else to do.
const patience = 20 * time.Second

// seen waits until a file matches, which others write: seen FILE REGEXP...
func seen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: seen FILE REGEXP...")
	}
	path := ts.MkAbs(args[0])
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	ts.Check(err)
	news := os.NewFile(uintptr(fd), "inotify")
	defer func() { _ = news.Close() }()
	_, err = unix.InotifyAddWatch(fd, filepath.Dir(path), unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO)
	ts.Check(err)
	ts.Check(news.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for _, word := range args[1:] {
		want := regexp.MustCompile("(?m)" + word)
		for {
			text, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				ts.Check(err)
			}
			if want.Match(text) {
				break
			}
			if _, err := news.Read(buf); err != nil {
				ts.Fatalf("no %s in %s, but:\n%s", word, args[0], text)
			}
		}
	}
}
