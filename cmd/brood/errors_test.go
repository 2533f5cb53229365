package main

import (
	"errors"
	"strings"
	"testing"
)

// What a supervisor answers may have the words of strangers in it. They keep their lines, and steer nothing.
func TestErrorsSteerNoTerminal(t *testing.T) {
	var out strings.Builder
	code := report(&out, &userError{
		code: exitFailed, err: errors.New("cannot roll: \x1b]0;evil\x07\nsecond"), hint: "\x1b[2Jlook", lines: []string{"last\r\x9b1A"}, done: "done\x08\nmore",
	})
	const want = "done?\nmore\nbrood: cannot roll: ?]0;evil?\nsecond\n  | last??1A\nhint: ?[2Jlook\n"
	if code != exitFailed || out.String() != want {
		t.Errorf("%d %q, want %q", code, out.String(), want)
	}
}
