// Package progress shows what happens between two snapshots of a supervisor, while somebody waits for a request: a block of
// lines that is redrawn in place on a terminal, one line per event elsewhere, and JSON objects for programs.
//
// # Promise
//
// Everything is derived from snapshots by [Compare], a pure function, so what they skipped is skipped, and nothing is said
// twice. A frame is written with one write, is never wider or higher than the terminal, and leaves the terminal as it was:
// no cursor is hidden and no mode is changed, so there is nothing that a crash could leave behind. What workers say of
// themselves cannot steer the terminal. The text for people may change; the fields of the JSON events are described in
// docs/api.md and stay.
//
// # Use
//
// The first Update is what later ones are compared with, so it comes before the request. The answer may overtake the stream
// of snapshots: after it the status is asked for once more, and is the last Update before End.
//
// # Concurrency
//
// All methods of a Progress may be called from any goroutine.
package progress
