package inspect

import (
	"slices"
	"strings"
)

// hide reports whether a value must not be seen.
func (s Secrets) hide(name, value string) bool {
	if slices.Contains(s.Names, name) || looksSecret(name) || hasSecret(value) {
		return true
	}
	return s.Unknown && !harmless(name)
}

// looksSecret reports whether a name is one that secrets have: by its words, which are separated by what is no letter, or by
// a word that stands in it in any way.
func looksSecret(name string) bool {
	name = strings.ToUpper(name)
	for _, part := range []string{"PASSW", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "APIKEY", "PRIVATE", "COOKIE", "SIGNING", "ENCRYPT"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
	for _, word := range words {
		switch strings.TrimRight(word, "0123456789") {
		case "KEY", "KEYS", "PASS", "PWD", "PW", "AUTH", "DSN", "SALT", "SEED", "PIN", "CERT", "JWT", "BEARER", "WEBHOOK", "SAS":
			return !slices.Contains([]string{"PWD", "OLDPWD"}, name) // the shell's own
		}
	}
	return false
}

// hasSecret reports whether a value is one by its looks: the password of an address, or a key in PEM.
func hasSecret(value string) bool {
	if strings.Contains(value, "-----BEGIN") {
		return true
	}
	for rest := value; ; {
		_, after, ok := strings.Cut(rest, "://")
		if !ok {
			return false
		}
		authority := after
		if end := strings.IndexAny(after, "/?# \t\n\"'"); end >= 0 {
			authority = after[:end]
		}
		// A password may have slashes in it, against the rules: then the sign is behind the end.
		if strings.Contains(authority, "@") || strings.Contains(after, "@") && strings.Contains(authority, ":") {
			return true
		}
		rest = after
	}
}

// harmless reports whether a variable has no secret, whoever set it: brood's own, systemd's, and those of a login.
func harmless(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "PWD", "OLDPWD", "SHLVL", "PORT", "HOSTNAME", "TMPDIR",
		"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM", "NODE_ENV", "GOMAXPROCS", "GODEBUG", "_":
		return true
	}
	for _, prefix := range []string{"BROOD_", "LISTEN_", "LC_", "XDG_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// hidden stands for an argument that must not be seen.
const hidden = "(hidden)"

// hideArguments replaces what looks like a secret on a command line: --password=x, --token x, PASSWORD=x, and addresses
// with a password. Everybody on the machine may see command lines; a screen is seen by others too.
func hideArguments(args []string) []string {
	next := false
	for i, arg := range args {
		name, value, assigned := strings.Cut(arg, "=")
		switch {
		case next && !strings.HasPrefix(arg, "-"):
			args[i] = hidden
			next = false
			continue
		case i > 0 && assigned && (looksSecret(name) || hasSecret(value)):
			args[i] = name + "=" + hidden
		case hasSecret(arg):
			args[i] = hidden
		}
		next = i > 0 && !assigned && strings.HasPrefix(arg, "--") && looksSecret(name)
	}
	return args
}
