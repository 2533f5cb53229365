package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/text"
)

// completeWord is the hidden command that the scripts of contrib/completions run: brood __complete words WORD... with those
// behind brood up to the cursor, the last of them unfinished, or brood __complete line LINE. It prints a word per line with
// what it means behind a tab, and then perhaps a line with what else the shell is to complete: :files, :dirs, :command. It
// is told from the others before flags are read, so that nothing on the line can run anything.
const completeWord = "__complete"

// What a shell completes by itself.
const (
	thenNothing = ""
	thenFiles   = ":files"
	thenDirs    = ":dirs"
	thenCommand = ":command"
)

// candidate is a word that may stand at the cursor.
type candidate struct{ word, about string }

// completion is what may.
type completion struct {
	candidates []candidate
	then       string
}

// printCompletions answers a shell.
func printCompletions(w io.Writer, app *cli.App, args []string, look lookup) {
	if len(args) < 2 {
		return
	}
	words := args[1:]
	if args[0] == "line" {
		words = shellWords(args[1])
	}
	found := complete(app, words, look)
	current := words[len(words)-1]
	for _, c := range found.candidates {
		if strings.HasPrefix(c.word, current) && !strings.ContainsFunc(c.word, isSpecial) {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", c.word, text.Neutral(c.about))
		}
	}
	if found.then != thenNothing {
		_, _ = fmt.Fprintln(w, found.then)
	}
}

// isSpecial reports whether a character might mean something to a shell. What others call their pools goes on the line of
// somebody who has only pressed TAB.
func isSpecial(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.@=:+", r)
}

// complete finds what may stand in place of the last word.
func complete(app *cli.App, words []string, look lookup) completion {
	current := words[len(words)-1]
	if len(words) == 1 || len(words) == 2 && words[0] == "help" {
		return completion{candidates: commandCandidates(app)}
	}
	command := app.Command(words[0])
	if command == nil || command.Hidden {
		return completion{}
	}
	l := readLine(command, words[1:len(words)-1])
	look.name, look.control = l.value("name", look.name), l.value("control", look.control)
	name, _, hasValue := strings.Cut(current, "=")
	switch {
	case l.foreign && l.arguments == 0:
		return completion{then: thenCommand}
	case l.foreign:
		return completion{then: thenFiles}
	case l.open != "":
		return valuesOf(command, l.open, look)
	case strings.HasPrefix(current, "--") && hasValue:
		found := valuesOf(command, strings.TrimLeft(name, "-"), look)
		for i := range found.candidates {
			found.candidates[i].word = name + "=" + found.candidates[i].word
		}
		return found
	case strings.HasPrefix(current, "-"):
		return completion{candidates: flagCandidates(command, l.given)}
	case command.Name == commandRun:
		return completion{then: thenCommand}
	}
	return argumentsOf(command, l.arguments, look)
}

// commandLine is what stands on a line in front of the cursor.
type commandLine struct {
	given     map[string]string // flags, with the values of those that take one
	open      string            // the flag whose value is at the cursor
	arguments int
	foreign   bool // the cursor is in the command line of another program
}

func readLine(command *cli.Command, words []string) commandLine {
	l := commandLine{given: map[string]string{}}
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			l.foreign, l.arguments = true, len(words)-i-1
			return l
		case !isFlag(word) && command.Name == commandRun:
			l.foreign, l.arguments = true, len(words)-i
			return l
		case !isFlag(word):
			l.arguments++
			continue
		}
		name := flagName(word)
		_, value, _ := strings.Cut(word, "=")
		if takesNext(command.Flags, word) {
			if i++; i == len(words) {
				l.open = name
				return l
			}
			value = words[i]
		}
		l.given[name] = value
	}
	return l
}

func (l *commandLine) value(flag, otherwise string) string {
	if value := l.given[flag]; value != "" {
		return value
	}
	return otherwise
}

func commandCandidates(app *cli.App) []candidate {
	found := []candidate{{"--help", "show help"}}
	for _, c := range app.VisibleCommands() {
		found = append(found, candidate{c.Name, c.Usage})
	}
	return found
}

// flagCandidates are the flags that were not given, and those that may be given again.
func flagCandidates(command *cli.Command, given map[string]string) []candidate {
	found := []candidate{{"--help", "show help"}}
	for _, f := range command.VisibleFlags() {
		doc, ok := f.(cli.DocGenerationFlag)
		_, again := f.(*cli.StringSliceFlag)
		was := slices.ContainsFunc(f.Names(), func(name string) bool { _, is := given[name]; return is })
		if !ok || was && !again {
			continue
		}
		word := "--" + f.Names()[0]
		if b, is := f.(*cli.BoolFlag); is && b.Value {
			word += "=false"
		}
		found = append(found, candidate{word, strings.ReplaceAll(doc.GetUsage(), "`", "")})
	}
	return found
}
