package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/text"
)

// arrange puts the flags of a command in front of its arguments, wherever they stand: the library takes all that is behind
// an argument for arguments. Not so for run, whose arguments are those of another program, nor behind "--". A flag that
// does not exist is refused, with the one that may have been meant.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	command := app.Command(args[1])
	if command == nil {
		if isFlag(args[1]) {
			return args, checkFlag("brood", []cli.Flag{cli.VersionFlag}, args[1])
		}
		return args, nil
	}
	arranged := slices.Clone(args[:2])
	var others []string
	for rest := args[2:]; len(rest) > 0; {
		word := rest[0]
		rest = rest[1:]
		switch {
		case word == "--" || command.Name == commandRun && !isFlag(word):
			if word != "--" {
				others = append(others, word)
			}
			others = append(others, rest...)
			rest = nil
		case !isFlag(word):
			others = append(others, word)
		default:
			if err := checkFlag("brood "+command.Name, command.Flags, word); err != nil {
				return nil, err
			}
			arranged = append(arranged, word)
			switch takes := takesNext(command.Flags, word); {
			case takes && len(rest) == 0:
				return nil, usage("brood "+command.Name+" --help shows what it may be", "%s needs a value", word)
			case takes:
				arranged = append(arranged, rest[0])
				rest = rest[1:]
			}
		}
	}
	if len(others) > 0 {
		arranged = append(append(arranged, "--"), others...)
	}
	return arranged, nil
}

// isFlag reports whether a word is a flag. A number with a minus is none.
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9')
}

// flagName is a flag's name as it was written, without dashes and value.
func flagName(word string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return name
}

// takesNext reports whether the word behind a flag is its value.
func takesNext(flags []cli.Flag, word string) bool {
	f := flagNamed(flags, flagName(word))
	return f != nil && f.TakesValue() && !strings.Contains(word, "=")
}

// flagNamed finds a flag by any of its names; nil is none.
func flagNamed(flags []cli.Flag, name string) cli.DocGenerationFlag {
	for _, f := range flags {
		if doc, ok := f.(cli.DocGenerationFlag); ok && slices.Contains(f.Names(), name) {
			return doc
		}
	}
	return nil
}

// checkFlag refuses a flag that does not exist.
func checkFlag(command string, flags []cli.Flag, word string) error {
	names := slices.Clone(cli.HelpFlag.Names())
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	name, hint := flagName(word), command+" --help lists the flags"
	if slices.Contains(names, name) {
		return nil
	}
	if near := text.Near(name, names); near != "" {
		return usage(hint, "%s has no flag %s: did you mean %s?", command, dashed(name), dashed(near))
	}
	return usage(hint, "%s has no flag %s", command, dashed(name))
}

// dashed is a flag as it is written.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
