package lease

import (
	"fmt"
	"strings"
)

// What a name, a place and its words may be, in every engine.
const (
	MaxPlace = 1<<20 - 1
	MaxName  = 128
	MaxWho   = 128
	MaxValue = 256
)

// Range is the places First to Last, both included.
type Range struct{ First, Last int }

// Contains says whether a place is in the range.
func (r Range) Contains(place int) bool { return place >= r.First && place <= r.Last }

// Len is the number of places.
func (r Range) Len() int { return r.Last - r.First + 1 }

func (r Range) String() string {
	if r.First == r.Last {
		return fmt.Sprintf("place %d", r.First)
	}
	return fmt.Sprintf("places %d-%d", r.First, r.Last)
}

// Only is the range of one place.
func Only(place int) Range { return Range{place, place} }

// Check says what is wrong with a name and a range. Names become files and keys.
func Check(name string, among Range) error {
	switch {
	case name == "", len(name) > MaxName, strings.HasPrefix(name, "."), strings.ContainsFunc(name, strange):
		return fmt.Errorf("the name %q is not 1 to %d letters, digits, dots, hyphens and underscores", name, MaxName)
	case among.First < 0, among.Last > MaxPlace, among.Last < among.First:
		return fmt.Errorf("%v of %s: not between 0 and %d", among, name, MaxPlace)
	}
	return nil
}

func strange(r rune) bool {
	ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
	return !ok
}

// CheckWords says whether a holder's name and a value are short enough.
func CheckWords(who, value string) error {
	switch {
	case len(who) > MaxWho:
		return fmt.Errorf("the holder's name has %d bytes, more than %d", len(who), MaxWho)
	case len(value) > MaxValue:
		return fmt.Errorf("the value has %d bytes, more than %d", len(value), MaxValue)
	}
	return nil
}
