// Package nftables writes the rules that lead a public port to the listeners of a configuration, so that a brood without
// privileges serves port 80, and per-slot workers are reached on one port.
//
// # Promise
//
//   - Render is pure: the same configuration gives the same text. It opens nothing and asks nobody.
//   - The text replaces what an earlier version of it loaded, in one transaction, and touches no other table.
//   - Clients on other machines and on this one are led alike. Packets that this machine forwards, or sends to others,
//     are left alone.
//   - A rule that could not work, because no packet from outside gets where the listener is, is an *Error with a hint.
//
// Functions may be called from any goroutine.
package nftables
