// Package top is the live table of a supervisor: its pools and workers, what they use, what is wrong with them, and what an
// operator may do about it.
//
// # Promise
//
// [Model] is pure: a message makes a new model and a list of [Effect]s, a model makes a screen. It knows no clock and no
// descriptor; time comes with messages. What is drawn is never wider or higher than the terminal, and nothing that workers
// or a supervisor say can steer it: every text passes [clean]. Nothing is asked of a supervisor without a question that says
// what follows, and a typed y. A supervisor that goes away is shown as gone, with its last picture, until it is back. The
// terminal is as it was after every way out, also by a signal and a panic.
//
// What was not measured has no column. CPU shares are differences between two measurements, and so need two of them.
//
// # Concurrency
//
// [Run] owns every goroutine that it starts, and waits for them. A Model is a value: none of its methods changes what another
// copy of it sees.
package top
