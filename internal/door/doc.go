// Package door keeps the address of a server open while servers come and go.
//
// # Promise
//
// A [Door] is a listening socket. Whoever answers on it attends it, see [Door.Attend], and may leave: what comes meanwhile
// waits in the kernel's queue for the next one, in the same process or in the next program that goes on in its place. No
// connection is turned away for want of a server, as long as the queue has room, and none is accepted that nobody gets.
//
// A door that another program has left is taken over by [Adopt]. The descriptor that it came by stays open until [Door.Keep],
// so that who finds that he cannot go on can give it back.
//
// # Concurrency
//
// All methods may be called from any goroutine.
package door
