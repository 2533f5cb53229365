package fdstore

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRecord: the last whole text counts, also when its successor was cut off anywhere.
func TestRecord(t *testing.T) {
	t.Parallel()
	r, err := NewRecord()
	must(t, err)
	defer func() { r.Close() }()
	if _, _, err := OpenRecord(r.FDs()); !errors.Is(err, ErrNoRecord) {
		t.Errorf("an empty one: %v", err)
	}
	for i := range 5 {
		must(t, r.Write([]byte(strings.Repeat("x", 5-i)+fmt.Sprint(i))))
	}
	swapped := []int{r.files[1], r.files[0]}
	again, text, err := OpenRecord(swapped)
	if err != nil || string(text) != "x4" {
		t.Fatalf("got %q, %v", text, err)
	}
	must(t, again.Write([]byte("one more")))
	if _, text, err := OpenRecord(r.FDs()); err != nil || string(text) != "one more" {
		t.Errorf("got %q, %v", text, err)
	}
	last := again.files[again.number%copies]
	var st unix.Stat_t
	must(t, unix.Fstat(last, &st))
	for length := st.Size - 1; length >= 0; length-- {
		must(t, unix.Ftruncate(last, length))
		if _, text, err := OpenRecord(r.FDs()); err != nil || string(text) != "x4" {
			t.Fatalf("cut at %d: got %q, %v", length, text, err)
		}
	}
	if _, _, err := OpenRecord(r.FDs()[:1]); !errors.Is(err, ErrNoRecord) {
		t.Errorf("half of one: %v", err)
	}
}

func FuzzOpenRecord(f *testing.F) {
	f.Add([]byte("brood-record-1 3 4 3632233996\ntext"))
	f.Add([]byte("brood-record-1 3 0 0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewRecord()
		must(t, err)
		defer r.Close()
		must(t, writeAll(r.files[0], text))
		again, _, err := OpenRecord(r.FDs())
		if err != nil {
			return
		}
		must(t, again.Write([]byte("next")))
		if _, next, err := OpenRecord(r.FDs()); again.number != 0 && (err != nil || string(next) != "next") {
			t.Errorf("got %q, %v", next, err)
		}
	})
}
