package compat

import (
	"strings"
)

// Server is one that takes an inherited socket, as a user of brood would run it. In
// its words @PORT@ stands for the port, @DIR@ for the directory with its files.
type Server struct {
	Name    string
	Package string   // of Debian
	Probe   []string // prints the version
	Takes   string   // how it is told of the socket
	Flags   []string // of brood run, beyond workers and listener
	Command []string
	Build   string // a Go program of ours that is built as DIR/server
	Note    string // what else somebody who runs it wants to know
}

// Stranger is one that takes no socket from others.
type Stranger struct {
	Name    string
	Package string
	Probe   []string
	Why     string
	Flags   []string
	Command []string // with a port of its own per worker
}

// debian is where its packages put the modules of Node.
const debian = "/usr/share/nodejs"

// Servers is the table, in the order of the page.
func Servers() []Server {
	var all []Server
	for _, group := range [][]Server{languages(), python(), ruby(), perl(), webServers()} {
		all = append(all, group...)
	}
	return all
}

// fill replaces what stands for the place of a trial.
func fill(words []string, port, dir string) []string {
	with := strings.NewReplacer("@PORT@", port, "@DIR@", dir)
	var filled []string
	for _, word := range words {
		filled = append(filled, with.Replace(word))
	}
	return filled
}

// Line is what a user types.
func (s *Server) Line() string { return line("127.0.0.1:8080", s.Flags, s.Command) }

// Line is what a user types.
func (s *Stranger) Line() string { return line("127.0.0.1:8080,mode=per-slot", s.Flags, s.Command) }

func line(listen string, flags, command []string) string {
	words := append([]string{"brood", "run", "-n", "2", "-l", listen}, flags...)
	words = append(append(words, "--"), command...)
	words = fill(words, "8080", "/srv/app")
	for i, word := range words {
		words[i] = quote(word)
	}
	return strings.Join(words, " ")
}

// quote puts a word of a shell in quotes where it needs them.
func quote(word string) string {
	if strings.ContainsAny(word, " {}$;&<>*?#'\"") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
