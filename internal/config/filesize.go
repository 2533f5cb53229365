package config

import "errors"

// FileSize is how large a log file may get: a number of bytes as a Size, or 0 for any.
type FileSize string

func (*FileSize) numberOrString() {}

// leastFile is less than anybody wants a log file to be: who writes a smaller number forgot its unit.
const leastFile = 4 << 10

// Of returns the bytes.
func (s FileSize) Of() (uint64, error) {
	n, err := parseBytes(string(s))
	switch {
	case err != nil:
		return 0, hinted(errSize, or(didYouMeanSize(string(s)), "0 is any size"))
	case n > 0 && n < leastFile:
		return 0, hinted(errors.New("no log file is that small: the least is 4K"), sizeWithUnit(string(s)))
	}
	return n, nil
}
