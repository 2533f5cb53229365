package deadman

import "testing"

func TestMessages(t *testing.T) {
	for _, m := range []Message{
		{Kind: Deadline, Sessions: Sessions{-7}, At: 1 << 62},
		{Kind: Watch, Files: WithProcess | WithGroup, PID: 1<<32 - 1, Token: 1<<64 - 1, Sessions: Sessions{1, -1 << 63}},
		{Kind: Forget, Token: 3},
		{Kind: Killed, PID: 1000, Sessions: Sessions{5, 6}, At: 9},
		{Kind: Blind, Token: 1},
	} {
		text := m.Encode()
		if got, err := Parse(text[:]); err != nil || got != m {
			t.Errorf("%+v became %+v, %v", m, got, err)
		}
	}
	good := (&Message{Kind: Forget}).Encode()
	for name, change := range map[string]func(b []byte) []byte{
		"short":                    func(b []byte) []byte { return b[:Size-1] },
		"long":                     func(b []byte) []byte { return append(b, 0) },
		"empty":                    func(b []byte) []byte { return b[:0] },
		"of another version":       func(b []byte) []byte { b[1]++; return b },
		"of an unknown kind":       func(b []byte) []byte { b[0] = byte(Blind) + 1; return b },
		"with unknown descriptors": func(b []byte) []byte { b[2] = 4; return b },
	} {
		if m, err := Parse(change(append([]byte(nil), good[:]...))); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m, err := Parse([]byte{0, 99}); err != nil || m.Kind != Bye {
		t.Errorf("a bye of another version: %+v, %v", m, err)
	}
}

func FuzzParse(f *testing.F) {
	for kind := range Blind + 1 {
		text := (&Message{Kind: kind, Files: WithGroup, PID: 4, Token: 5, Sessions: Sessions{6, 7}, At: 8}).Encode()
		f.Add(text[:])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err != nil || m.Kind == Bye {
			return
		}
		if again := m.Encode(); string(again[:]) != string(text) {
			t.Errorf("%x became %x", text, again)
		}
	})
}
