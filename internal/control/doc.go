// Package control is the supervisor's API: JSON over HTTP on a unix socket, and over TCP with a token; its server and its
// client.
//
// # Promise
//
// Reading never asks the supervisor's loop, so status answers also while the loop is busy. A request body is limited
// and strict: an unknown field is an error, and changes nothing. A request of whose end a client does not wait goes on
// all the same. What was asked for is an operation, whose verdict is kept. Nobody may do more than [Access] and
// [Tokens] say; the supervisor learns which user and process it was. Who watches gets the latest snapshot and never a
// queue of them; a watcher that does not read costs nobody else anything. A client that is slow is cut, and one user
// can have so many connections only. The table of routes is the whole API, and a test compares it with
// docs/openapi.yaml; docs/api.md explains it.
//
// # Concurrency
//
// Server and Client may be used from any goroutine.
package control
