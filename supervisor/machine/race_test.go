//go:build race

package machine

// racing says that the race detector is on, under which a search takes ten times as long.
const racing = true
