// Package compat tries servers of others as workers of brood, and writes down what it
// saw: how each takes an inherited socket, how it stops and reloads, and how many
// requests are lost while it is replaced or killed.
//
// [Servers] and [Strangers] are the tables: the first take a socket that they inherit,
// the second do not and have a port per worker instead. [Runner] starts the built
// brood with one of them and fills in a [Result] or an [Own]; [Report] keeps all of
// them and writes the page. The command in compat/ does this for everyone.
//
// Promise: nothing on the page is said by hand but how a socket is handed over and the
// note; requests go to loopback only; whatever a trial started has ended when it
// returns, by SIGKILL if it must.
//
// Concurrency: trials load the machine and come one after another; a Runner belongs to
// one goroutine.
package compat
