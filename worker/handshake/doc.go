// Package handshake is the contract between brood and its workers: every
// environment variable a worker finds, and the grammar of the datagrams it may
// send back.
//
// Both sides import it, the supervisor through package worker and a program
// through package worker/self, so that a name cannot differ between them. It
// imports the standard library only.
//
// # Promise
//
// Parse is strict in form and liberal in vocabulary: a malformed line makes the
// whole datagram an error, an unknown well-formed key is kept in
// Message.Unknown, because sd_notify(3) has keys that brood has no use for and
// will get more. Parse(m.Format()) returns m for every valid m.
//
// # Concurrency
//
// Everything here is a constant or a pure function.
package handshake
