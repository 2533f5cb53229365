package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// State is what outlives all members of a fleet.
type State struct {
	Paused   *Remark `json:"paused,omitempty"`
	Failures int     `json:"failures,omitempty"` // rollouts since somebody resumed it last
	Failed   *Remark `json:"failed,omitempty"`   // the latest of them
}

// Remark says who did something, why and when.
type Remark struct {
	Who string    `json:"who"`
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at"`
	// Turn is the fence of the turn that failed: none is counted twice.
	Turn uint64 `json:"turn,omitempty"`
}

// How many bytes people's words may have, so that two remarks fit into a memo whatever is in them.
const (
	mostWho = 128
	mostWhy = 300
)

// Halts says why nobody may begin a rollout; "" if everybody may.
func (s *State) Halts(c Config) string {
	switch {
	case s.Paused != nil:
		return "the fleet " + c.Name + " is paused by " + s.Paused.words()
	case c.StopAfter > 0 && s.Failures >= c.StopAfter:
		return "the fleet " + c.Name + " is stopped: " + s.failureWords()
	}
	return ""
}

func (r *Remark) words() string {
	if r.Why == "" {
		return r.Who
	}
	return r.Who + ": " + r.Why
}

func (s *State) failureWords() string {
	words := ""
	if s.Failures > 1 {
		words = fmt.Sprintf("%d rollouts have failed, the last one ", s.Failures)
	}
	switch {
	case s.Failed == nil:
		return words
	case words == "":
		return "rolling at " + s.Failed.Who + " failed: " + s.Failed.Why
	}
	return words + "at " + s.Failed.words()
}

// encode is the text of the memo.
func (s State) encode() (string, error) {
	for _, r := range []**Remark{&s.Paused, &s.Failed} {
		if *r != nil {
			short := **r
			short.Who, short.Why = plain(short.Who, mostWho), plain(short.Why, mostWhy)
			*r = &short
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return "", err
	}
	return strings.TrimRight(b.String(), "\n"), nil
}

// decode reads it. Nothing is what nobody has written yet.
func decode(text string) (State, error) {
	var s State
	if text == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return State{}, fmt.Errorf("it says %q: %w", plain(text, mostWhy), err)
	}
	return s, nil
}

// plain is at most so many bytes of one line of words.
func plain(words string, most int) string {
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "?"))
	return strings.ToValidUTF8(words[:min(len(words), most)], "")
}
