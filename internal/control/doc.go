// Package control is the supervisor's API: JSON over HTTP on a unix socket, its server and its client.
//
// # Promise
//
// Reading never asks the supervisor's loop, so status answers also while the loop is busy. A request body is limited
// and strict: an unknown field is an error, and changes nothing. A request of whose end a client does not wait goes
// on all the same. Who may write to the socket may ask for anything, and nobody else; the supervisor learns which user and
// process it was. Who watches gets the latest snapshot and never a queue of them; a watcher that does not read costs
// nobody else anything. docs/api.md lists the paths.
//
// # Concurrency
//
// Server and Client may be used from any goroutine.
package control
