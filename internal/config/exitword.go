package config

import (
	"errors"
	"strconv"
	"syscall"
)

// ExitWord is an end that counts as success: an exit status (143) or a signal ("TERM").
type ExitWord string

var errExit = errors.New("it is an exit status from 1 to 255, or the name of a signal")

// Of returns the status, or the signal; the other is 0.
func (w ExitWord) Of() (code int, sig syscall.Signal, err error) {
	n, err := strconv.Atoi(string(w))
	if err != nil {
		sig, err = ParseSignal(string(w))
		if err != nil {
			return 0, 0, hinted(errExit, hintOf(err))
		}
		return 0, sig, nil
	}
	if n < 1 || n > 255 {
		return 0, 0, errExit
	}
	return n, 0, nil
}

func (*ExitWord) numberOrString() {}
