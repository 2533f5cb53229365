package probe

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestHealthMessage(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 300))
	for service, want := range map[string]string{
		"":   "\x00\x00\x00\x00\x00",
		"a":  "\x00\x00\x00\x00\x03\x0a\x01a",
		long: "\x00\x00\x00\x01\x2f\x0a\xac\x02" + long,
	} {
		if got := healthMessage(service); string(got) != want {
			t.Errorf("%.10q: %x", service, got)
		}
	}
}

func TestParseHealthRefuses(t *testing.T) {
	for _, message := range []string{"\x08", "\x00\x01", "\x08\xff", "\x12\x05ab", "\x12", "\x0d123", "\x09123", "\x0b", "\x0f\x00", "\xff"} {
		if s, err := parseHealth(framed(message)); err == nil {
			t.Errorf("%x: %s", message, s)
		}
	}
	for _, frame := range []string{"", "\x00\x00\x00\x00", "\x00\x00\x00\x00\x01", "\x00\x00\x00\x00\x00\x08", "\x01\x00\x00\x00\x00"} {
		if s, err := parseHealth([]byte(frame)); err == nil {
			t.Errorf("%x: %s", frame, s)
		}
	}
}

func framed(message string) []byte {
	b := make([]byte, framePrefix)
	binary.BigEndian.PutUint32(b[1:], uint32(len(message)))
	return append(b, message...)
}

// No message breaks the reader, and one more field of later changes nothing.
func FuzzParseHealth(f *testing.F) {
	for _, seed := range []string{"", "\x08\x01", "\x08\x02\x12\x01a", "\x0d1234", "\x0912345678", "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		status, err := parseHealth(framed(string(message)))
		if err != nil {
			return
		}
		if more, err := parseHealth(framed(string(message) + "\x12\x02ab")); err != nil || more != status {
			t.Errorf("%x: %s, with a field more %s, %v", message, status, more, err)
		}
	})
}
