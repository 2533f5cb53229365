package main

import (
	"context"
	"os"

	"github.com/broodctl/brood/supervisor/host"
)

// partConfig is the name of a source among the parts; see host.Part.
const partConfig = "config"

// source remembers the file that a configuration was read from: who goes on again, because the next program could not, does
// so by what it was started with. The file may be what the other one failed by.
type source struct{ text []byte }

func (s *source) read(path string) ([]byte, error) {
	var err error
	if !host.GivenBack(partConfig, &s.text) {
		s.text, err = os.ReadFile(path)
	}
	return s.text, err
}

// Pause is of host.Part, as are the next ones.
func (s *source) Pause(context.Context) {}

// Resume has nothing to do.
func (s *source) Resume() {}

// Hand is the text.
func (s *source) Hand(context.Context, func(string) bool) (any, []int, error) {
	return s.text, nil, nil
}

// Settle has nothing to close.
func (s *source) Settle() {}
