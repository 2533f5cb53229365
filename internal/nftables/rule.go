package nftables

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// origin is where the clients of a chain are.
type origin uint8

const (
	elsewhere origin = iota
	here
)

// rules are those of a listener in one chain.
func (t *target) rules(from origin) []string {
	if !t.sticky || t.slots < 2 || t.ip.IsValid() || t.family != 0 {
		return []string{t.match() + " " + t.verdict(from, t.version())}
	}
	// The client's address is a field of another header in each version.
	v4, v6 := *t, *t
	v4.family, v6.family = 4, 6
	return []string{v4.match() + " " + v4.verdict(from, 4), v6.match() + " " + v6.verdict(from, 6)}
}

// version is 4 or 6 where only one is meant, else 0.
func (t *target) version() int {
	switch {
	case t.ip.Is4():
		return 4
	case t.ip.IsValid():
		return 6
	}
	return t.family
}

// match says which packets are meant. Without the look at where an address belongs, what this machine forwards and, in
// output, asks of others would be caught as well.
func (t *target) match() string {
	where := "fib daddr type local"
	switch {
	case t.ip.IsValid():
		where = fmt.Sprintf("%s daddr %s", ipWord(t.version()), t.ip)
	case t.family != 0:
		where = fmt.Sprintf("meta nfproto ipv%d %s", t.family, where)
	}
	return fmt.Sprintf("%s %s dport %d", where, t.proto, t.public)
}

// verdict says where they go. redirect takes the first address of the interface that the packet came in by, which need
// not be the one that the listener has. To others a datagram socket of all addresses answers from that very address; to
// clients on this machine it answers from the one they asked, which redirect would have exchanged for that of the
// loopback interface.
func (t *target) verdict(from origin, version int) string {
	switch {
	case t.ip.IsValid():
	case from == here && t.proto == "udp":
		return "dnat to :" + t.ports(version)
	default:
		return "redirect to :" + t.ports(version)
	}
	host := t.ip.String()
	if t.ip.Is6() {
		host = netip.AddrPortFrom(t.ip, 0).String()
		host = host[:strings.LastIndexByte(host, ':')]
	}
	return fmt.Sprintf("dnat %s to %s:%s", ipWord(version), host, t.ports(version))
}

// hashSeed is fixed: with one of the kernel's choice, loading the rules again would move every client.
const hashSeed = 1

// ports is one port, or how it is chosen.
func (t *target) ports(version int) string {
	switch {
	case t.slots < 2:
		return strconv.Itoa(t.port)
	case t.sticky:
		return fmt.Sprintf("jhash %s saddr mod %d seed 0x%x map %s", ipWord(version), t.slots, hashSeed, t.elements())
	}
	return fmt.Sprintf("numgen inc mod %d map @%s", t.slots, t.redir)
}

func (t *target) elements() string {
	pairs := make([]string, t.slots)
	for i := range pairs {
		pairs[i] = fmt.Sprintf("%d : %d", i, t.port+t.slotAt(i))
	}
	return "{ " + strings.Join(pairs, ", ") + " }"
}

// slotAt is the slot that has a turn: its own, or another one's that serves.
func (t *target) slotAt(turn int) int {
	if len(t.serving) == 0 || slices.Contains(t.serving, turn) {
		return turn
	}
	return t.serving[turn%len(t.serving)]
}

func ipWord(version int) string {
	if version == 6 {
		return "ip6"
	}
	return "ip"
}
