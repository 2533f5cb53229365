// Package web is what monitoring asks: an HTTP server for probes, and for pages
// that others hand in, such as metrics.
//
// # Promise
//
// It is off unless somebody configured it, and by itself changes nothing and shows no
// secret.
// Whoever can connect may ask, so nothing can be asked that costs much: what a
// probe needs was published by the supervisor's loop already, /healthz is worked
// out once in [healthAge], and the loop itself is asked for a sign of life at most
// once in [pulseAge], however many ask and however long it takes. Nothing ticks
// while nobody asks.
//
// A client that is slow, silent or in the company of a thousand others is cut: see
// [limits]. It never holds up the supervisor, and with so many connections that
// do nothing the one that has done so longest makes room for a new one, so that a
// probe comes through.
//
//	/livez     200 while the loop turns, else 503
//	/startupz  200 when every slot has been ready once, else 503
//	/readyz    200 when each pool serves, else 503
//	/healthz   the same, in JSON, with what is wrong
//
// # Concurrency
//
// Server may be used from any goroutine.
package web
