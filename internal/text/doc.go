// Package text makes foreign words harmless, and makes them fit into columns.
//
// # Promise
//
// What workers, files and other users call things may hold anything. [Neutral] leaves nothing that a terminal would obey. The other
// functions count columns as terminals do, at most one too many per character: a line that is too short does no harm.
//
// # Concurrency
//
// All functions are pure.
package text
