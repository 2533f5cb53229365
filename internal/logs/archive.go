package logs

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// stamp is what the names of files that are full end with: web.log.20060102T150405Z, and a number from the second in
	// one second on.
	stamp     = "20060102T150405Z"
	gzipped   = ".gz"
	gzipBegun = ".gz.tmp"
	mostInOne = 1000 // files that are full in one second
)

var errNames = errors.New("there is no name left")

// archives are the files that one log file became.
type archives struct {
	path   string
	second string // of the last one
	number int    // of the next one in that second: a name that is free again is older than those that are not
}

// add gives a file that is full its name.
func (a *archives) add(now time.Time) error {
	if second := now.UTC().Format(stamp); second != a.second {
		a.second, a.number = second, 0
	}
	name := a.path + "." + a.second
	for ; a.number < mostInOne; a.number++ {
		as := name
		if a.number > 0 {
			as = fmt.Sprintf("%s-%03d", name, a.number)
		}
		if exists(as) || exists(as+gzipped) {
			continue
		}
		if err := os.Rename(a.path, as); err != nil {
			return fmt.Errorf("cannot rename log file: %w", err)
		}
		a.number++
		return nil
	}
	return fmt.Errorf("cannot rename log file %s: %w", a.path, errNames)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// archived reads the name of a file that is full; base is that of its log file.
func archived(base, name string) (without string, ok bool) {
	rest, ok := strings.CutPrefix(name, base+".")
	if !ok || len(rest) < len(stamp) {
		return "", false
	}
	if _, err := time.Parse(stamp, rest[:len(stamp)]); err != nil {
		return "", false
	}
	number := strings.TrimSuffix(strings.TrimSuffix(rest[len(stamp):], gzipBegun), gzipped)
	if number != "" && (len(number) != 4 || number[0] != '-' || strings.Trim(number[1:], "0123456789") != "") {
		return "", false
	}
	return base + "." + rest[:len(stamp)] + number, true
}

// janitor removes and compresses files that are full, one after another, beside those who write.
type janitor struct {
	stop atomic.Bool
	busy sync.WaitGroup

	mu      sync.Mutex
	due     map[string]chore // by path
	running bool
}

// chore is what is to be done about the files of a log file, and who is told if that fails.
type chore struct {
	set     FileSettings
	keeping *episode
}

// tidy looks at the files of a log file as soon as there is time.
func (j *janitor) tidy(path string, set *FileSettings, keeping *episode) {
	if set.MaxSize == 0 && set.MaxAge == 0 {
		return // they are somebody else's
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stop.Load() {
		return
	}
	if j.due == nil {
		j.due = map[string]chore{}
	}
	j.due[path] = chore{*set, keeping}
	if !j.running {
		j.running = true
		j.busy.Go(j.run)
	}
}

// close waits until what is being done is done, or left for the next time.
func (j *janitor) close() {
	j.mu.Lock()
	j.stop.Store(true)
	j.mu.Unlock()
	j.busy.Wait()
}

func (j *janitor) run() {
	beNice()
	for {
		path, c, ok := j.next()
		if !ok {
			return
		}
		others := path + ".*"
		if err := j.clean(path, c.set); err != nil {
			c.keeping.met(others, err, tally{})
		} else {
			c.keeping.went(others)
		}
	}
}

func (j *janitor) next() (string, chore, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for path, c := range j.due {
		if j.stop.Load() {
			break
		}
		delete(j.due, path)
		return path, c, true
	}
	j.running = false
	return "", chore{}, false
}

// clean keeps the newest files, and compresses those. What fails is tried again with the next.
func (j *janitor) clean(path string, set FileSettings) (failed error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		failed = fmt.Errorf("cannot list log files: %w", err)
	}
	variants := map[string][]string{} // of one file: plain, compressed, half compressed
	var names []string
	for _, e := range entries {
		if name, ok := archived(base, e.Name()); ok && e.Type().IsRegular() {
			if variants[name] == nil {
				names = append(names, name)
			}
			variants[name] = append(variants[name], e.Name())
		}
	}
	slices.Sort(names)
	old := max(0, len(names)-set.Keep)
	for i, name := range names {
		for _, v := range variants[name] {
			var err error
			switch {
			case i < old || strings.HasSuffix(v, gzipBegun):
				err = os.Remove(filepath.Join(dir, v))
			case set.Compress && v == name && !j.stop.Load():
				err = j.compress(filepath.Join(dir, v)) // it stays as it is
			}
			if err != nil && !errors.Is(err, errStopped) && !errors.Is(err, os.ErrNotExist) {
				failed = err // one is enough to tell
			}
		}
	}
	return failed
}

var errStopped = errors.New("stopped")

// compress replaces a file by its compressed form.
func (j *janitor) compress(path string) error {
	from, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return fmt.Errorf("cannot compress log file: %w", err)
	}
	defer func() { _ = from.Close() }()
	begun := path + gzipBegun
	to, err := os.OpenFile(begun, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		return fmt.Errorf("cannot compress log file: %w", err)
	}
	z := gzip.NewWriter(to)
	_, err = io.Copy(z, stoppable{from, j})
	if err = errors.Join(err, z.Close(), to.Close()); err == nil {
		err = os.Rename(begun, path+gzipped)
	}
	if err != nil {
		_ = os.Remove(begun)
		return fmt.Errorf("cannot compress log file: %w", err)
	}
	return os.Remove(path)
}

// stoppable is a file whose reading ends with the janitor.
type stoppable struct {
	file *os.File
	j    *janitor
}

// Read implements [io.Reader].
func (s stoppable) Read(p []byte) (int, error) {
	if s.j.stop.Load() {
		return 0, errStopped
	}
	return s.file.Read(p)
}
