package logs

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/poll"
)

// everything is a house where nothing can be written, with something of each kind.
func everything(t testing.TB) (*house, []*worker) {
	t.Helper()
	dir := t.TempDir()
	h := newHouse(t, func(o *Options) { o.Journal = filepath.Join(dir, "nobody"); o.Report = func(Trouble) {} })
	h.Widen(9)
	gone := h.start(t, "web.7", Settings{Mode: JSON}, 1)
	say(t, int(gone.out.Fd()), "gone\n")
	gone.Close()
	path := filepath.Join(dir, "is", "a", "file", "web.log")
	if err := os.WriteFile(filepath.Join(dir, "is"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*worker
	for i, set := range []Settings{
		{Mode: Journald},
		{Mode: Prefix, Backpressure: true},
		{Mode: File, File: FileSettings{Stdout: path, Stderr: path, Format: Objects, MaxSize: 1 << 20}},
	} {
		w := h.start(t, fmt.Sprintf("web.%d", i), set, 2)
		all = append(all, w)
		for piece, text := range []string{strings.Repeat("much\n", 2000), strings.Repeat("line\n", 12_000), "and a half"} {
			say(t, int(w.out.Fd()), text)
			for h.Stats()[i].Bytes < uint64([]int{10_000, 70_000, 70_010}[piece]) {
				runtime.Gosched() // until it is read
			}
		}
	}
	return h, all
}

// leave freezes a house that never wrote anything.
func leave(t testing.TB, h *house) *Handed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	handed, err := h.Freeze(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return handed
}

// The third program gets what the second one got, if nothing happens between.
func TestHandedOnTwice(t *testing.T) {
	h, workers := everything(t)
	lost := h.Stats()
	h.sinksNow()[0].to.(*file).full = archives{path: h.sinksNow()[0].where, second: "20260101T000000Z", number: 3}
	next, first := handOn(t, h, 0)
	if got, want := next.past.Load(), h.past.Load(); got != want {
		t.Errorf("%d bytes of the past, not %d", got, want)
	}
	for i, w := range workers {
		next.adopt(t, w.Stream, fmt.Sprintf("web.%d", i))
	}
	next.Settle()
	second := clone(t, leave(t, next))
	second.Troubles = first.Troubles // the next one has tried again, and found the same
	a, _ := json.MarshalIndent(first, "", " ")
	b, _ := json.MarshalIndent(second, "", " ")
	if !bytes.Equal(a, b) {
		t.Error(differ(strings.Split(string(b), "\n"), strings.Split(string(a), "\n")))
	}
	if !bytes.Equal(first.Blob, second.Blob) {
		t.Error("the blobs differ")
	}
	next.Thaw()
	for _, s := range next.streamsNow() {
		s.Close()
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_ = next.Close(done)
	for i, st := range next.Stats()[:3] {
		if i != 1 && st.LostLines <= lost[i].LostLines {
			t.Errorf("what nobody took was not counted: %+v", st)
		}
	}
	if n := next.queued.Load(); n != 0 {
		t.Errorf("%d bytes are queued", n)
	}
}

// clone is what another program reads.
func clone(t testing.TB, h *Handed) *Handed {
	t.Helper()
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	read := &Handed{Blob: bytes.Clone(h.Blob)}
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestCheck(t *testing.T) {
	h, _ := everything(t)
	base := leave(t, h)
	if err := base.Check(); err != nil {
		t.Fatal(err)
	}
	queue := func(h *Handed, to string) *HandedQueue {
		for i := range h.Queues {
			if h.Queues[i].To == to {
				return &h.Queues[i]
			}
		}
		t.Fatalf("no queue of %s", to)
		return nil
	}
	for name, tt := range map[string]struct {
		spoil func(h *Handed)
		want  error
	}{
		"handle that is to come":      {func(h *Handed) { h.LastHandle = 1 }, errSize},
		"negative width":              {func(h *Handed) { h.Width = -1 }, errSize},
		"two streams with one handle": {func(h *Handed) { h.Streams[1].Kept.Handle = h.Streams[0].Kept.Handle }, errTwice},
		"one pipe for two streams":    {func(h *Handed) { h.Streams[1].Stdout.FD = h.Streams[0].Stderr.FD }, errTwice},
		"our own stderr":              {func(h *Handed) { h.Streams[0].Stdout.FD = 2 }, errSize},
		"a slot twice":                {func(h *Handed) { h.Slots[1] = h.Slots[0] }, errTwice},
		"no blob":                     {func(h *Handed) { h.Blob = nil }, errSize},
		"piece before the blob":       {func(h *Handed) { h.Streams[0].Stdout.Tail.At = -1 }, errSize},
		"piece of negative size":      {func(h *Handed) { h.Streams[0].Stdout.Tail.Size = -1 }, errSize},
		"line that is too long": {func(h *Handed) {
			h.Blob = append(h.Blob, make([]byte, 1<<20)...)
			h.Streams[0].Stdout.Partial.Size = maxLine + 1
		}, errSize},
		"state that does not exist":    {func(h *Handed) { h.Streams[0].Stdout.Raw = 3 }, errUnknown},
		"stream that inherits":         {func(h *Handed) { h.Streams[0].Settings.Mode = Inherit }, errUnknown},
		"destination that is unknown":  {func(h *Handed) { h.Queues[0].To = "printer" }, errUnknown},
		"file without a path":          {func(h *Handed) { queue(h, toFile).File.Path = "" }, errUnknown},
		"destination twice":            {func(h *Handed) { h.Queues = append(h.Queues, h.Queues...) }, errTwice},
		"share of nobody":              {func(h *Handed) { queue(h, toFile).Shares[0].Slot = 99 }, errSize},
		"shares that are too large":    {func(h *Handed) { queue(h, toFile).Shares[0].Size++ }, errSize},
		"shares that are too small":    {func(h *Handed) { queue(h, toFile).Bytes.Size++ }, errSize},
		"half a line for a file":       {func(h *Handed) { h.Blob[queue(h, toFile).Bytes.At+queue(h, toFile).Bytes.Size-1] = 'x' }, errEnd},
		"record that is too long":      {func(h *Handed) { h.Blob[queue(h, toJournald).Bytes.At]++ }, errRecords},
		"newlines that are not there":  {func(h *Handed) { h.Blob[h.Streams[0].Kept.Records.At+12]++ }, errRecords},
		"lines that were never read":   {func(h *Handed) { h.Streams[0].Kept.Total++ }, errRecords},
		"record without an end":        {func(h *Handed) { h.Streams[0].Kept.Records.Size-- }, errRecords},
		"record of a gone worker":      {func(h *Handed) { h.Blob[past(h).Records.At+8]++ }, errRecords},
		"record with an unknown flag":  {func(h *Handed) { h.Blob[past(h).Records.At+16] = 4 }, errRecords},
		"position before the first":    {func(h *Handed) { past(h).Start = 1 << 63 }, errSize},
		"length that is more than all": {func(h *Handed) { binary.LittleEndian.PutUint32(h.Blob[past(h).Records.At+8:], 1<<32-1) }, errRecords},
	} {
		h := clone(t, base)
		tt.spoil(h)
		if err := h.Check(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if m, err := Restore(Options{Stdout: 1, Stderr: 2}, h); err == nil {
			t.Errorf("%s: restored %v", name, m)
		}
	}
}

// past is what is kept of a worker that is gone.
func past(h *Handed) *HandedKept {
	for i := range h.Slots {
		if len(h.Slots[i].Past) > 0 {
			return &h.Slots[i].Past[0]
		}
	}
	return nil
}

// Whatever passes the check can be read, written and adopted.
func FuzzHanded(f *testing.F) {
	house, _ := everything(f)
	h := leave(f, house)
	text, err := json.Marshal(h)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, h.Blob)
	f.Fuzz(func(t *testing.T, text, blob []byte) {
		h := &Handed{Blob: blob}
		if json.Unmarshal(text, h) != nil {
			return
		}
		for _, fd := range h.Descriptors() {
			*fd = -1 // they would be those of the test
		}
		dir := t.TempDir()
		for i := range h.Queues {
			if file := h.Queues[i].File; file != nil && file.Path != "" {
				file.Path, file.Set.Compress = filepath.Join(dir, "log"), false
			}
		}
		for i := range h.Streams {
			h.Streams[i].Settings.File.Stdout, h.Streams[i].Settings.File.Stderr = filepath.Join(dir, "log"), filepath.Join(dir, "log")
		}
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		p, err := poll.New()
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		m, err := Restore(Options{Poller: p, Stdout: int(null.Fd()), Stderr: int(null.Fd()), Journal: filepath.Join(dir, "nobody")}, h)
		if err != nil {
			return
		}
		for _, l := range m.Recent(Filter{}) {
			if strings.Contains(l.Text, "\n") {
				t.Errorf("%q is no line", l.Text)
			}
		}
		_ = m.Stats()
		m.Widen(h.Width + 1)
		for _, s := range h.Streams {
			adopted, err := m.Adopt(s.Kept.Handle, Worker{Pool: s.Pool, Slot: s.Slot, ID: s.Kept.WorkerID})
			if err != nil {
				t.Fatal(err)
			}
			adopted.Close()
		}
		done, cancel := context.WithCancel(t.Context())
		cancel()
		_ = m.Close(done)
	})
}
