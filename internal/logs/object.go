package logs

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"
)

// deepest is how deep a worker's object may be nested to be passed on as one: more than anybody logs, and less than any
// reader refuses.
const deepest = 64

// timeFormat is RFC 3339 in microseconds; all times have one length.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// objectHead is what stands between the time and the line in all objects of a stream.
func objectHead(of Worker, stream standard) []byte {
	b := append([]byte(`","pool":`), quoted(of.Pool)...)
	if of.Slot != NoSlot {
		b = strconv.AppendInt(append(b, `,"slot":`...), int64(of.Slot), 10)
		b = strconv.AppendInt(append(b, `,"worker_id":`...), int64(of.ID), 10)
	}
	return append(b, `,"stream":"`+stream.String()+`",`...)
}

func quoted(s string) []byte { return appendQuoted(nil, []byte(s)) }

// appendTime appends the beginning of an object.
func appendTime(dst []byte, at int64) []byte {
	return time.Unix(0, at).UTC().AppendFormat(append(dst, `{"time":"`...), timeFormat)
}

// appendObject appends a line as one object: a worker's own object as it is, under "log", anything else as the string
// "message". Of a line that is longer than a line may be, all pieces but the last have "partial".
func appendObject(dst, begin, head, line []byte, more bool) []byte {
	dst = append(append(dst, begin...), head...)
	line = bytes.TrimSuffix(line, []byte{'\r'})
	switch own := bytes.TrimSpace(line); {
	case more:
		dst = appendQuoted(append(dst, `"partial":true,"message":`...), line)
	case isObject(own):
		dst = append(append(dst, `"log":`...), own...)
	default:
		dst = appendQuoted(append(dst, `"message":`...), line)
	}
	return append(dst, '}', '\n')
}

// isObject reports whether a line is one JSON object, that any reader takes.
func isObject(line []byte) bool {
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return false
	}
	s := scanner{b: line, deep: deepest}
	return s.value() && s.i == len(line) && utf8.Valid(line)
}

const hex = "0123456789abcdef"

// appendQuoted appends a JSON string. Control characters are escaped, what is no UTF-8 becomes U+FFFD.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	begin := 0
	for i := 0; i < len(text); {
		if i+8 <= len(text) && isPlain(binary.LittleEndian.Uint64(text[i:])) {
			i += 8
			continue
		}
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = appendEscaped(append(dst, text[begin:i]...), c)
		i++
		begin = i
	}
	return append(append(dst, text[begin:]...), '"')
}

// isPlain reports whether none of eight bytes is to be escaped or belongs to a character of several. It may say no where
// that is not so.
func isPlain(v uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, slash, del := v^ones*'"', v^ones*'\\', v^ones*0x7f
	return (v|(v-ones*' ')|(quote-ones)|(slash-ones)|(del-ones))&tops == 0
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\t':
		return append(dst, '\\', 't')
	case '\r':
		return append(dst, '\\', 'r')
	}
	if c >= utf8.RuneSelf {
		return append(dst, `\ufffd`...)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
