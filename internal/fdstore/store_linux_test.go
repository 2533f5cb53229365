package fdstore

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/testhost"
)

func TestStore(t *testing.T) {
	t.Parallel()
	m := testhost.NewManager(t)
	s, err := Open(m.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := FileOf(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	stale, closed := file, file
	stale.Inode++
	closed.FD = 1 << 20
	many := make([]File, MaxFiles)
	for i := range many {
		many[i] = file
	}
	for name, files := range map[string][]File{"one": {stale, file, closed}, "many": many, "none": {stale}} {
		if err := s.Add(name, files); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	kept := m.Kept()
	if len(kept["one"]) != 1 || len(kept["many"]) != MaxFiles || len(kept) != 2 {
		t.Errorf("kept are %v", kept)
	}
	if is, err := FileOf(kept["one"][0]); err != nil || is.Inode != file.Inode {
		t.Errorf("it is %+v, %v", is, err)
	}
	must(t, s.Remove("many"))
	if kept := m.Kept(); len(kept) != 1 {
		t.Errorf("kept are %v", kept)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "relative", "vsock:2:1234"} {
		if _, err := Open(address); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	s, err := Open(t.TempDir() + "/nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Remove("x"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("nobody is there: %v", err)
	}
}
