package redact

import (
	"regexp"
	"strings"
)

// Hidden stands for what is not shown.
const Hidden = "***"

const (
	// name is what secrets are called.
	name = `[A-Za-z0-9_.-]*(?i:pass(?:word|wd|phrase)?|pw|secret|token|key|credential|auth|bearer|cookie|dsn)[A-Za-z0-9_.-]*`
	// quoted and bare are the pieces of a shell's word, which has no space between them.
	quoted = `"(?:[^"\\]|\\.)*"|'[^']*'|\\.`
	bare   = `[^\s"'&;\\]`
	word   = `(?:` + quoted + `|` + bare + `)+`
)

var (
	// inURL is the user and the password in front of a host. A password may have an @ in it.
	inURL = regexp.MustCompile(`(://)[^/\s"']+@`)
	// inHeader is what follows the name of a header: to its end, since it may be of several words.
	inHeader = regexp.MustCompile(`(` + name + `:[ \t]+)[^"'\n]+`)
	// assigned is a secret behind its name, in quotes or not.
	assigned = regexp.MustCompile(`(?s)(` + name + `(?:\\?["'])?\s*[=:]\s*)(?:(?i:bearer|basic)\s+\S+|` + word + `)`)
	// separate is one behind a flag, unless the next flag follows.
	separate = regexp.MustCompile(`(?s)((?:^|\s)-{1,2}` + name + `\s+)(?:` + quoted + `|[^-\s"'&;\\])(?:` + word + `)?`)
	// login is USER:PASSWORD, as curl(1) takes it.
	login = regexp.MustCompile(`((?:^|\s)(?:-u|--user|--proxy-user)(?:\s+|=)["']?)[^\s:"'=]+:[^\s"']+`)

	// ofFlag is the value of a flag in an argument of its own: all that follows is the value, whatever it is made of.
	ofFlag = regexp.MustCompile(`(?s)^(-{1,2}` + name + `=).+$`)
	// ofWord is the same of an argument without a space.
	ofWord = regexp.MustCompile(`^([^\s:]*?` + name + `=)\S+$`)
	// secretFlag and loginFlag say what the next argument is.
	secretFlag = regexp.MustCompile(`^-{1,2}` + name + `$`)
	loginFlag  = regexp.MustCompile(`^(?:-u|--user|--proxy-user)$`)
)

// Text leaves secrets out of a line for a shell, an address, or a sentence with one of these in it.
func Text(text string) string {
	text = inHeader.ReplaceAllString(text, "${1}"+Hidden)
	text = inURL.ReplaceAllString(text, "${1}"+Hidden+"@")
	text = login.ReplaceAllString(text, "${1}"+Hidden)
	text = separate.ReplaceAllString(text, "${1}"+Hidden)
	return assigned.ReplaceAllString(text, "${1}"+Hidden)
}

// Words leaves secrets out of the arguments of a command.
func Words(words []string) []string {
	var shown []string
	for i, word := range words {
		shown = append(shown, argument(words[:i], word))
	}
	return shown
}

// argument is one as it is shown behind others.
func argument(before []string, word string) string {
	last := ""
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case secretFlag.MatchString(last) && !strings.HasPrefix(word, "-"), loginFlag.MatchString(last) && strings.Contains(word, ":"):
		return Hidden
	case ofFlag.MatchString(word):
		return ofFlag.ReplaceAllString(word, "${1}"+Hidden)
	case ofWord.MatchString(word):
		return ofWord.ReplaceAllString(word, "${1}"+Hidden)
	}
	return Text(word)
}

// Each is Text of several.
func Each(texts []string) []string {
	var shown []string
	for _, text := range texts {
		shown = append(shown, Text(text))
	}
	return shown
}
