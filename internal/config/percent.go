package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Percent is a whole number of hundredths, written "80%". A bare number is refused: it might be a share from 0 to 1.
type Percent int

// maxPercent is a thousand CPUs.
const maxPercent = 100_000

var errPercent = errors.New("it is a percentage from 0% to " + strconv.Itoa(maxPercent) + "%")

// String is the percentage as UnmarshalText reads it.
func (p Percent) String() string { return strconv.Itoa(int(p)) + "%" }

// MarshalText is for encoders.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is for decoders.
func (p *Percent) UnmarshalText(text []byte) error {
	number, ok := strings.CutSuffix(string(text), "%")
	n, err := strconv.Atoi(number)
	switch {
	case len(text) == 0:
		return hinted(errPercent, "leave it out for the default")
	case !ok && digits(number):
		return hinted(errPercent, "write "+quote(number+"%")+" if these are percent")
	case !ok || err != nil || !digits(number) || n > maxPercent:
		return errPercent
	}
	*p = Percent(n)
	return nil
}

// readNumber says what to write in place of a bare number: a fraction is one of 1.
func (p *Percent) readNumber(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case digits(text):
		return hinted(errPercent, "write "+quote(text+"%")+" if these are percent")
	case err == nil && f > 0 && f <= maxPercent/100:
		return hinted(errPercent, "did you mean "+quote(Percent(math.Round(f*100)).String())+"?")
	}
	return errPercent
}

// of is the part of a number that the percentage is, as near to it as can be.
func (p Percent) of(n uint64) uint64 {
	if n > math.MaxUint64/maxPercent {
		return n / 100 * uint64(p)
	}
	return n * uint64(p) / 100
}

// Depth is a number of connections per worker, on average: 1, 0.5.
type Depth float64

// maxDepth is more than a queue holds.
const maxDepth = 1e6

// Weight is a share of what is scarce, as cgroup v2 counts them; see the kernel's document.
type Weight int

func (*Weight) bounds() (least, most int64) { return 1, 10_000 }
