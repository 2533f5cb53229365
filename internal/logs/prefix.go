package logs

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"
)

// colours are the SGR codes that are readable on both dark and light grounds:
// no black, white, and no red, which terminals use for errors.
var colours = [...]int{36, 33, 32, 35, 34, 96, 92, 95, 94}

// newPrefix returns what begins each line of one worker: `web.2 | `, padded to
// width columns. The colour depends on the label alone, so that a worker keeps
// it over restarts. It begins with a reset, because what the line before left
// switched on must not run into our own words.
func newPrefix(label string, width int, colour bool) []byte {
	text := label + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(label))) + " |"
	if !colour {
		return []byte(text + " ")
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(label)) // a hash never fails to take bytes
	code := colours[h.Sum32()%uint32(len(colours))]
	return []byte("\x1b[0;" + strconv.Itoa(code) + "m" + text + "\x1b[0m ")
}
