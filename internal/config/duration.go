package config

import (
	"errors"
	"strings"
	"time"
)

// Duration is a length of time, written with its unit: "500ms", "30s", "1m30s". A bare number is refused, because
// nobody can tell whether it counts seconds or milliseconds; only "0" needs no unit.
type Duration time.Duration

var errDuration = errors.New("it is a duration with its unit, such as 500ms, 30s or 1m30s")

// ParseDuration reads a duration, which is not negative.
func ParseDuration(s string) (Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case s == "":
		return 0, hinted(errDuration, "leave it out for the default")
	case err != nil && digits(s):
		return 0, hinted(errDuration, "write "+quote(s+"s")+" if these are seconds")
	case err != nil && strings.ContainsAny(s, " ") && durationWord(strings.ReplaceAll(s, " ", "")):
		return 0, hinted(errDuration, "write "+quote(strings.ReplaceAll(s, " ", "")))
	case err != nil:
		return 0, hinted(errDuration, "units are h, m, s and ms")
	case d < 0:
		return 0, errors.New("a duration is not negative")
	}
	return Duration(d), nil
}

func durationWord(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil
}

// String is the duration as ParseDuration reads it, without the parts that are 0.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText is for encoders.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDuration for decoders.
func (d *Duration) UnmarshalText(text []byte) error {
	var err error
	*d, err = ParseDuration(string(text))
	return err
}

// readNumber says what to write in place of a bare number.
func (d *Duration) readNumber(text string) error {
	return hinted(errDuration, "write "+quote(text+"s")+" if these are seconds")
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
