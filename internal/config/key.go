package config

import (
	"strconv"
	"strings"
)

// Key joins names to a key as TOML writes it: names that are not bare are quoted.
func Key(names ...string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = bareOrQuoted(name)
	}
	return strings.Join(parts, ".")
}

// under is the key of a name in the table of a key.
func under(key, name string) string {
	if key == "" {
		return bareOrQuoted(name)
	}
	return key + "." + bareOrQuoted(name)
}

// item is the key of an element of an array.
func item(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

func bareOrQuoted(name string) string {
	bare := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !bare(r) }) < 0 {
		return name
	}
	return quote(name)
}

// parent is the key without its last name or index; "" is the root.
func parent(key string) string {
	if strings.HasSuffix(key, "]") {
		if at := strings.LastIndexByte(key, '['); at >= 0 {
			return key[:at]
		}
	}
	return strings.TrimSuffix(key[:len(key)-len(last(key))], ".")
}

// last is the last name of a key, as it is written.
func last(key string) string {
	from, quoted := 0, false
	for i := 0; i < len(key); i++ {
		switch {
		case key[i] == '\\':
			i++
		case key[i] == '"':
			quoted = !quoted
		case key[i] == '.' && !quoted:
			from = i + 1
		}
	}
	return key[from:]
}

// secret reports whether a key is where secrets end up that somebody wrote into the file itself: no problem quotes them.
func secret(key string) bool {
	for ; key != ""; key = parent(key) {
		if name := last(key); (name == "credentials" || name == "requires") && parent(parent(key)) == "pool" {
			return true
		}
	}
	return false
}

// quote writes a basic string of TOML.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u00` + strconv.FormatInt(int64(r)>>4, 16) + strconv.FormatInt(int64(r)&15, 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
