package listener

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mode says how the workers share an address.
type Mode uint8

// The modes. Auto becomes Sharded for TCP and UDP that we open or that systemd opened with ReusePort=yes, and Shared otherwise.
const (
	Auto    Mode = iota
	Sharded      // one SO_REUSEPORT socket per slot and side, steered by readiness
	Shared       // one socket for all
	PerSlot      // slot i has the port base+i, which its worker binds by itself
)

// Policy says which of the ready workers gets a connection on a sharded TCP listener. UDP always keeps a flow (source
// address and port) with its worker.
type Policy uint8

// The policies.
const (
	Random   Policy = iota
	ClientIP        // a client's address stays with its slot; an unready slot's clients move, and no others
	CPU             // the processor that got the packet, modulo the number of ready workers
)

// Side is one of the two shards of a slot.
type Side uint8

// The sides. A worker gets one of them for its whole life, its successor the other.
const (
	A Side = iota
	B
)

const sides = 2

var (
	modeNames   = []string{"auto", "sharded", "shared", "per-slot"}
	policyNames = []string{"random", "client-ip", "cpu"}
	sideNames   = []string{"A", "B"}
)

func (m Mode) String() string   { return nameOf(modeNames, int(m)) }
func (p Policy) String() string { return nameOf(policyNames, int(p)) }
func (s Side) String() string   { return nameOf(sideNames, int(s)) }

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown " + strconv.Itoa(i)
}

// ParseMode reads one of ModeNames.
func ParseMode(s string) (Mode, error) {
	i, err := oneOf("mode", s, modeNames)
	return Mode(i), err
}

// ParsePolicy reads one of PolicyNames.
func ParsePolicy(s string) (Policy, error) {
	i, err := oneOf("steer", s, policyNames)
	return Policy(i), err
}

// ModeNames are the words for the modes, in the order of their values.
func ModeNames() []string { return slices.Clone(modeNames) }

// PolicyNames are the words for the policies, in the order of their values.
func PolicyNames() []string { return slices.Clone(policyNames) }

func oneOf(key, value string, names []string) (int, error) {
	for i, name := range names {
		if name == value {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q is unknown; it is one of %s", key, value, strings.Join(names, ", "))
}

// MarshalText writes the word.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseMode.
func (m *Mode) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMode(string(text))
	return err
}

// MarshalText writes the word.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePolicy.
func (p *Policy) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePolicy(string(text))
	return err
}

// MarshalText writes the letter.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the letter.
func (s *Side) UnmarshalText(text []byte) error {
	i, err := oneOf("side", string(text), sideNames)
	*s = Side(i)
	return err
}
