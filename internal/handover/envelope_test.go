package handover

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

type document struct {
	Header
	Words []string
}

func TestStoreAndLoad(t *testing.T) {
	f := Formats{Now: 3, Least: 2, Oldest: 1}
	fd, err := Store(document{Header{3, 2, "1.2.3", 7}, []string{"a\nb"}}, []byte("{blob\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 2 { // who cannot go on leaves it as it was
		text, blob, err := Load(fd)
		if err != nil || string(blob) != "{blob\n" {
			t.Fatalf("%q, %v", blob, err)
		}
		var d document
		h, err := f.Read(text, &d)
		if err != nil || h != (Header{3, 2, "1.2.3", 7}) || d.Words[0] != "a\nb" {
			t.Errorf("%+v, %+v, %v", h, d, err)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		reader  Formats
		writer  Header
		refused string
	}{
		{Formats{1, 1, 1}, Header{Format: 1, Least: 1}, ""},
		{Formats{3, 2, 2}, Header{Format: 2, Least: 1}, ""},
		{Formats{3, 2, 2}, Header{Format: 1, Least: 1}, "format 1, and 2 is the oldest"},
		{Formats{2, 1, 1}, Header{Format: 3, Least: 2}, ""},
		{Formats{2, 1, 1}, Header{Format: 5, Least: 3, From: "2.0"}, "brood 2.0: it takes format 3, and 2 is the newest"},
	} {
		err := tt.reader.Reads(tt.writer)
		if (err == nil) != (tt.refused == "") || err != nil && (!errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tt.refused)) {
			t.Errorf("%+v reads %+v: %v", tt.reader, tt.writer, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, file := range []string{
		"", "brood state", "brood state 1\n", "brood state 2 0\n{", "brood state -1 2\n{", "brood state 1 1\n{}x", "brood state 99999999999999999999 0\n", "blood state 2 0\n{}",
	} {
		if _, _, err := Open([]byte(file)); !errors.Is(err, ErrNoState) {
			t.Errorf("%q: %v", file, err)
		}
	}
	var d document
	for _, text := range []string{"", "[]", `{"Format": "x"}`, `{"Format": 1, "Least": 1, "Words": 3}`} {
		if _, err := (Formats{1, 1, 1}).Read([]byte(text), &d); !errors.Is(err, ErrNoState) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	if _, _, err := Load(pipe[0]); !errors.Is(err, ErrNoState) {
		t.Errorf("a pipe: %v", err)
	}
	if _, _, err := Load(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("nothing: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	pieces, err := Seal(document{Header{1, 1, "x", 1}, nil}, []byte("blob"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Join(pieces, nil))
	f.Add([]byte("brood state 2 1\n{}x"))
	f.Fuzz(func(t *testing.T, file []byte) {
		text, blob, err := Open(file)
		if err != nil {
			if !errors.Is(err, ErrNoState) {
				t.Error(err)
			}
			return
		}
		if !bytes.HasSuffix(file, append(bytes.Clone(text), blob...)) {
			t.Error("it is another text")
		}
		var d document
		if _, err := (Formats{1, 1, 1}).Read(text, &d); err != nil && !errors.Is(err, ErrNoState) && !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
	})
}
