// Package loadgen sends HTTP/1.1 requests at a server and says exactly what
// became of each.
//
// A closed loop has a number of clients that each send the next request when the
// last is answered; an open loop sends at a rate, whatever the server does, and
// measures latency from the moment a request was due, so that a stalled server
// cannot hide its own queue. Either opens a connection per request or keeps its
// connections alive.
//
// The client is written by hand on net.Conn, because net/http retries, pools and
// wraps errors, and the difference between "refused", "reset" and "ended early"
// is what the tests of a supervisor are about. See [Outcome].
//
// Promise: a load is bounded in count or in time (Start refuses one that is not),
// sends at most Clients requests at once, and has no goroutine and no connection
// left when Wait returns.
//
// Concurrency: all methods of [Load] may be called from any goroutine. A [Result]
// is a copy and belongs to its receiver.
package loadgen
