package units

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxUnitName is UNIT_NAME_MAX of systemd, less the NUL at its end.
const maxUnitName = 255

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	plain   = letters + "_@+=:,./-"
)

// Quote writes one argument of a command line so that systemd passes on the same bytes: by the rules of systemd.syntax(7)
// and of systemd.service(5), where % begins a specifier and $ a variable. A NUL is an error that wraps ErrExpress.
func Quote(arg string) (string, error) {
	if strings.IndexByte(arg, 0) >= 0 {
		return "", fmt.Errorf("there is a NUL byte in it: %w", ErrExpress)
	}
	if arg != "" && strings.Trim(arg, plain) == "" {
		return arg, nil
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(arg); {
		r, size := utf8.DecodeRuneInString(arg[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '%' || r == '$':
			b.WriteRune(r)
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r == utf8.RuneError && size == 1:
			_, _ = fmt.Fprintf(&b, `\x%02x`, arg[i]) // a line that is not UTF-8 would be dropped
		default:
			b.WriteString(arg[i : i+size])
		}
		i += size
	}
	b.WriteByte('"')
	return b.String(), nil
}

// Value writes a setting that systemd takes as it stands, less the % of specifiers: a path, a user, a name. It cannot
// have control characters, nor blanks at its ends; a backslash at the end would join the next line. These are errors
// that wrap ErrExpress.
func Value(text string) (string, error) {
	switch {
	case !utf8.ValidString(text):
		return "", fmt.Errorf("it is not UTF-8: %w", ErrExpress)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", fmt.Errorf("there is a control character in it: %w", ErrExpress)
	case strings.HasSuffix(text, `\`):
		return "", fmt.Errorf("it ends with a backslash: %w", ErrExpress)
	case text == "" || strings.Trim(text, " ") != text:
		return "", fmt.Errorf("it is empty or begins or ends with a blank: %w", ErrExpress)
	}
	return strings.ReplaceAll(text, "%", "%%"), nil
}

// program writes the path of a program. systemd refuses quotes and backslashes there, and does not undo a doubled $.
func program(path string) (string, error) {
	if strings.ContainsAny(path, `"'\$`) {
		return "", fmt.Errorf("there is a quote, a backslash or a $ in it: %w", ErrExpress)
	}
	if _, err := Value(path); err != nil {
		return "", err
	}
	return Quote(path)
}

// Escape makes a part of a unit's name: what is not allowed there is written as systemd-escape(1) does, as \xNN. Of what
// is allowed only @ and the backslash are escaped, because they would mean something; the hyphen stays, for a unit that
// is called after its supervisor.
func Escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; strings.IndexByte(letters+":_.-", c) >= 0 && (c != '.' || i > 0) {
			b.WriteByte(c)
			continue
		}
		_, _ = fmt.Fprintf(&b, `\x%02x`, name[i])
	}
	return b.String()
}

// shellWord quotes a unit's name for a shell if it needs to be: of the signs in it, only the backslash means something.
func shellWord(name string) string {
	if strings.Contains(name, `\`) {
		return "'" + name + "'"
	}
	return name
}
