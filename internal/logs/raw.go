package logs

import "bytes"

// rawState is where a lane stands that passes bytes as they come.
type rawState uint8

const (
	atLine   rawState = iota // what comes next begins a line
	inLine                   // it goes on with a line whose beginning was passed on
	skipping                 // it goes on with a line that is lost
)

// passRaw passes bytes on, or whole lines not at all: a line that has begun gets its end also if the consumer is slow.
func (l *lane) passRaw(got []byte) {
	if l.raw == skipping {
		end := bytes.IndexByte(got, '\n') + 1
		if end == 0 {
			l.loseRaw(got)
			return
		}
		l.loseRaw(got[:end])
		l.raw, got = atLine, got[end:]
	}
	if l.putRaw(got, hardLimit) {
		return
	}
	if l.raw == inLine {
		end := bytes.IndexByte(got, '\n') + 1
		if end == 0 {
			end = len(got)
		}
		if l.putRaw(got[:end], hardLimit+reserve) {
			got = got[end:]
		}
	}
	l.loseRaw(got)
	if len(got) > 0 {
		l.raw = stateAfter(got, skipping)
	}
}

func (l *lane) putRaw(got []byte, limit int) bool {
	if len(got) == 0 {
		return true
	}
	if !l.sink.put(l.source, len(got), limit, func(dst []byte) []byte { return append(dst, got...) }) {
		return false
	}
	l.raw = stateAfter(got, inLine)
	return true
}

// stateAfter is where bytes leave a lane, if they end within a line as said.
func stateAfter(got []byte, within rawState) rawState {
	if got[len(got)-1] == '\n' {
		return atLine
	}
	return within
}

func (l *lane) loseRaw(got []byte) {
	l.lose(tally{lines: uint64(bytes.Count(got, newline)), bytes: uint64(len(got))})
}
