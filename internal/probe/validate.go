package probe

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Below these a probe is a load, and its answer a matter of luck. They are far under what Kubernetes allows, a second.
const (
	minPeriod  = 10 * time.Millisecond
	minTimeout = time.Millisecond
)

// FieldError is what is wrong with one field of a Config.
type FieldError struct {
	Field string // as it is named in Config
	Err   error
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("cannot use probe with this %s: %v", e.Field, e.Err)
}

func (e *FieldError) Unwrap() error { return e.Err }

var (
	errKind    = errors.New("it is one of http, tcp, unix, exec, grpc, notify")
	errTLS     = errors.New("it is plain or unverified")
	errPath    = errors.New("it begins with / and has neither blanks nor a fragment")
	errHost    = errors.New("it is a name or an address, perhaps with a port")
	errName    = errors.New("it is no name of a header")
	errValue   = errors.New("its value has control characters")
	errOwn     = errors.New("the probe sets it by itself")
	errCommand = errors.New("there is none")
	errService = errors.New("it is no UTF-8 text")
	errShort   = errors.New("it is too short")
	errPast    = errors.New("it is negative")
	errCount   = errors.New("it is at least 1")
)

// Validate returns all that is wrong, each a *FieldError, joined; nil if nothing is.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	check := func(field string, err error) {
		if err != nil {
			errs = append(errs, &FieldError{field, err})
		}
	}
	if err := kindError(c.Kind); err != nil {
		return &FieldError{"Kind", err} // the others depend on it
	}
	for _, field := range c.misplaced() {
		check(field, fmt.Errorf("a probe of kind %s has none", c.Kind))
	}
	if c.Kind == HTTP {
		_, err := target(c.Path)
		check("Path", err)
		for _, h := range c.Headers {
			check("Headers", h.Check())
		}
		if c.TLS != Plain && c.TLS != Unverified {
			check("TLS", errTLS)
		}
	}
	check("Host", hostError(c.Host))
	if c.Kind == Exec && strings.TrimSpace(c.Command) == "" {
		check("Command", errCommand)
	}
	if !utf8.ValidString(c.Service) {
		check("Service", errService)
	}
	check("Address", c.addressError())
	check("InitialDelay", atLeast(c.InitialDelay, 0, errPast))
	check("Period", atLeast(c.Period, minPeriod, errShort))
	check("Timeout", atLeast(c.Timeout, minTimeout, errShort))
	check("SuccessThreshold", atLeast(c.SuccessThreshold, 1, errCount))
	check("FailureThreshold", atLeast(c.FailureThreshold, 1, errCount))
	return errors.Join(errs...)
}

func kindError(k Kind) error {
	switch k {
	case HTTP, TCP, Unix, Exec, GRPC, Notify:
		return nil
	}
	return errKind
}

// misplaced are the fields that are set and mean nothing for the kind.
func (c Config) misplaced() []string {
	fields := []struct {
		name  string
		isSet bool
		kinds []Kind
	}{
		{"TLS", c.TLS != Plain, []Kind{HTTP}},
		{"Path", c.Path != "", []Kind{HTTP}},
		{"Headers", len(c.Headers) > 0, []Kind{HTTP}},
		{"Status", c.Status != StatusSet{}, []Kind{HTTP}},
		{"Body", c.Body != nil, []Kind{HTTP}},
		{"Host", c.Host != "", []Kind{HTTP, GRPC}},
		{"Service", c.Service != "", []Kind{GRPC}},
		{"Command", c.Command != "", []Kind{Exec}},
		{"Address", c.Address != "", []Kind{HTTP, TCP, Unix, GRPC}},
	}
	var names []string
	for _, f := range fields {
		if f.isSet && !slices.Contains(f.kinds, c.Kind) {
			names = append(names, f.name)
		}
	}
	return names
}

func (c Config) addressError() error {
	if c.Address == "" {
		return nil
	}
	network, _, err := endpoint(c.Address)
	if err == nil && (c.Kind == TCP && network != "tcp" || c.Kind == Unix && network != "unix") {
		return fmt.Errorf("a probe of kind %s cannot ask %s", c.Kind, c.Address)
	}
	return err
}

// target reads a path with its query.
func target(path string) (*url.URL, error) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " #") {
		return nil, errPath
	}
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, errPath
	}
	return u, nil
}

// Check reports what is wrong with a header.
func (h Header) Check() error {
	// The characters of a token, see RFC 9110, section 5.6.2.
	token := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	}
	control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	name := http.CanonicalHeaderKey(h.Name)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return !token(r) }):
		return fmt.Errorf("%q: %w", h.Name, errName)
	case slices.Contains([]string{"Connection", "Content-Length", "Te", "Trailer", "Transfer-Encoding"}, name):
		return fmt.Errorf("%s: %w", name, errOwn)
	case strings.ContainsFunc(h.Value, control):
		return fmt.Errorf("%s: %w", name, errValue)
	case name == "Host":
		return hostError(h.Value)
	}
	return nil
}

func hostError(host string) error {
	foreign := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/\?#@"<>`, r) }
	if strings.ContainsFunc(host, foreign) {
		return fmt.Errorf("%q: %w", host, errHost)
	}
	return nil
}

func atLeast[T int | time.Duration](value, least T, err error) error {
	if value < least {
		return err
	}
	return nil
}
