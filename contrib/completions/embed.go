// Package completions has the scripts by which shells complete command lines of brood, so that the program can print them.
//
// # Promise
//
// The scripts know no command and no flag: they ask brood for what may follow, by its hidden command __complete, which runs no
// command. Behind "--" stands another program's command line, and there not even that is asked.
package completions

import "embed"

//go:embed brood.bash brood.zsh brood.fish
var scripts embed.FS

// Shells lists the shells that there are scripts for.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Script is the one for a shell of [Shells]; there is none for another one.
func Script(shell string) (text string, ok bool) {
	b, err := scripts.ReadFile("brood." + shell)
	return string(b), err == nil
}
