package testguest

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// mood is how a serving guest misbehaves, as words separated by commas:
//
//	503          answers with this status
//	2s           answers so late
//	say:TEXT     answers with this body
//	flap:3       is in this mood for 3 requests, in none for the next 3, and so on
//	hang         neither accepts nor answers
type mood struct {
	status int
	delay  time.Duration
	body   string
	flap   uint64
	hang   bool
}

func parseMood(text string) (mood, error) {
	var m mood
	for word := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		if err := m.set(word); err != nil {
			return mood{}, fmt.Errorf("cannot understand mood %q: %w", word, err)
		}
	}
	return m, nil
}

func (m *mood) set(word string) error {
	key, value, _ := strings.Cut(word, ":")
	var err error
	switch key {
	case "":
	case "hang":
		m.hang = true
	case "say":
		m.body = value
	case "flap":
		m.flap, err = strconv.ParseUint(value, 10, 32)
	default:
		status, notNumber := strconv.Atoi(word)
		switch {
		case notNumber != nil:
			m.delay, err = time.ParseDuration(word)
		case status < 200 || status > 599:
			err = fmt.Errorf("there is no status %d", status)
		default:
			m.status = status
		}
	}
	return err
}

// moods tell the mood of the moment: what the first file says that exists of PID,
// slot-SLOT and all in dir, else the fixed one.
type moods struct {
	fixed mood
	dir   string
	names []string
	path  string // of requests that it counts for; empty is all
	asked atomic.Uint64
}

func newMoods(text, dir, path string) (*moods, error) {
	fixed, err := parseMood(text)
	if err != nil {
		return nil, err
	}
	f := facts()
	return &moods{fixed: fixed, dir: dir, path: path, names: []string{strconv.Itoa(f.PID), "slot-" + strconv.Itoa(f.Slot), "all"}}, nil
}

func (m *moods) now() (mood, error) {
	if m.dir == "" {
		return m.fixed, nil
	}
	for _, name := range m.names {
		text, err := os.ReadFile(filepath.Join(m.dir, name))
		switch {
		case err == nil:
			return parseMood(string(text))
		case !errors.Is(err, fs.ErrNotExist):
			return mood{}, err
		}
	}
	return m.fixed, nil
}

// hold returns when the guest is in the mood to accept.
func (m *moods) hold() {
	for {
		if now, err := m.now(); err != nil || !now.hang {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// through lets requests feel the mood.
func (m *moods) through(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.path != "" && r.URL.Path != m.path {
			next.ServeHTTP(w, r)
			return
		}
		m.hold()
		now, err := m.now()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if now.flap > 0 && (m.asked.Add(1)-1)/now.flap%2 == 1 {
			now = mood{}
		}
		time.Sleep(now.delay)
		if now.status == 0 && now.body == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(max(now.status, http.StatusOK)) // no status is less
		fmt.Fprintln(w, now.body)
	})
}
