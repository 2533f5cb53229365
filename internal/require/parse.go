package require

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Requirement is one thing that must hold before a pool starts. Two are equal if they are written alike. The zero
// value never holds.
type Requirement struct {
	text   string
	kind   kind
	target string // host:port, path, name or command
}

type kind string

const (
	kindTCP  kind = "tcp"
	kindUnix kind = "unix"
	kindEnv  kind = "env"
	kindFile kind = "file"
	kindExec kind = "exec"
)

const forms = "tcp://HOST:PORT, unix:///PATH, env:NAME, file:PATH or exec:COMMAND"

// maxSunPath is what fits into sun_path beside the NUL at its end, see unix(7).
const maxSunPath = 107

var (
	schemeName = regexp.MustCompile(`^[a-z][a-z0-9+-]*$`)
	hostName   = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$`)
	// inlinePassword is user:password@ in a URL, where the password is not taken from a variable.
	inlinePassword = regexp.MustCompile(`://[^\s/@:]*:[^\s/@$][^\s/@]*@`)
)

// String returns the requirement as it was written.
func (r Requirement) String() string { return r.text }

// Parse reads a requirement in one of the forms of the package comment.
func Parse(text string) (Requirement, error) {
	scheme, rest, found := strings.Cut(text, ":")
	if !found {
		rest, scheme = scheme, ""
	}
	r := Requirement{text: text, kind: kind(scheme)}
	var err error
	switch r.kind {
	case kindTCP:
		r.target, err = parseTCP(strings.TrimPrefix(rest, "//"))
	case kindUnix:
		r.target, err = parseUnix(strings.TrimPrefix(rest, "//"))
	case kindEnv:
		r.target, err = parseEnv(rest)
	case kindFile:
		r.target, err = parseFile(rest)
	case kindExec:
		r.target, err = parseExec(rest)
	default:
		err = unknownScheme(scheme, rest)
	}
	if err != nil {
		return Requirement{}, fmt.Errorf("cannot read %s: %w", harmless(scheme, rest), err)
	}
	return r, nil
}

// harmless names a bad requirement in an error. What comes after the scheme may be a password.
func harmless(scheme, rest string) string {
	switch {
	case scheme == "" && !strings.Contains(rest, "@"):
		return fmt.Sprintf("requirement %q", rest)
	case schemeName.MatchString(scheme):
		return fmt.Sprintf("requirement %s:...", scheme)
	}
	return "requirement"
}

func unknownScheme(scheme, rest string) error {
	switch {
	case scheme == "http" || scheme == "https":
		return errors.New("tcp://HOST:PORT waits for the port; exec:curl -fsS URL waits for an answer")
	case strings.HasPrefix(rest, "//"):
		return errors.New("write tcp://HOST:PORT for the server behind a URL, without its user, password and path")
	}
	return fmt.Errorf("write %s", forms)
}

func parseTCP(rest string) (string, error) {
	if strings.ContainsAny(rest, "@?") {
		return "", errors.New("a connection needs no user, password or query: write tcp://HOST:PORT")
	}
	if strings.ContainsAny(rest, "/#") {
		return "", errors.New("a connection needs no path: write tcp://HOST:PORT")
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		if bad, ok := errors.AsType[*net.AddrError](err); ok {
			return "", fmt.Errorf("%s: write tcp://HOST:PORT, or tcp://[::1]:PORT", bad.Err)
		}
		return "", err
	}
	if host == "" {
		return "", errors.New("the host is missing: write tcp://127.0.0.1:PORT for this machine")
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Unmap().IsUnspecified():
		return "", fmt.Errorf("%s is where one listens; write tcp://127.0.0.1:PORT for this machine", host)
	case err == nil && strings.ContainsFunc(ip.Zone(), func(r rune) bool { return r <= ' ' || r == '%' }):
		return "", fmt.Errorf("zone %q is not the name of an interface", ip.Zone())
	case err != nil && !hostName.MatchString(host):
		return "", fmt.Errorf("%q is neither an IP address nor the name of a host", host)
	}
	return net.JoinHostPort(host, port), nil
}

func parseUnix(path string) (string, error) {
	switch {
	case path == "" || path == "@":
		return "", errors.New("the path is missing: write unix:///run/NAME.sock")
	case path[0] != '/' && path[0] != '@':
		return "", errors.New("the path is not absolute: write unix:///run/NAME.sock, with three slashes")
	case len(path) > maxSunPath:
		return "", fmt.Errorf("the path has %d bytes, and a unix socket's can have %d", len(path), maxSunPath)
	}
	return path, checkText(path)
}

func parseEnv(name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("the name of the variable is missing")
	case strings.HasPrefix(name, "$"):
		return "", errors.New("write the name of the variable without $")
	case strings.Contains(name, "="):
		return "", errors.New("write the name of the variable alone: a value cannot be required")
	case strings.ContainsAny(name, " \t\r\n"):
		return "", errors.New("the name of a variable has no spaces")
	}
	return name, checkText(name)
}

func parseFile(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("the path is missing")
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return "", errors.New("write file:/PATH for an absolute path, file:PATH for a relative one")
	}
	return filepath.Clean(path), checkText(path)
}

func parseExec(command string) (string, error) {
	switch {
	case strings.TrimSpace(command) == "":
		return "", errors.New("the command is missing")
	case inlinePassword.MatchString(command):
		return "", errors.New("there is a password in it, which every user of this machine could see; let the command read it from a variable or a file")
	}
	return command, checkText(command)
}

func checkText(s string) error {
	if strings.ContainsRune(s, 0) {
		return errors.New("it contains a NUL byte")
	}
	return nil
}
