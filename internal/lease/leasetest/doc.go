// Package leasetest is the contract of [lease.Engine] as tests, which every engine has to pass.
//
// [Run] is called by the test of an engine, with a function that puts up a [World] for each case. Nothing here knows
// which engine it is; where engines differ by nature the World says so.
//
// Concurrency: the cases run one after another, each with many goroutines of its own which it waits for.
package leasetest
