// Package hooks tells programs and web services of events.
//
// # Promise
//
// A hook that is slow, or does not answer, holds up nobody: neither the supervisor nor another hook. Its events are
// delivered one at a time and in order. One that cannot be delivered is tried again after growing pauses, up to
// [Hook.Attempts] times, and then dropped; of those that wait meanwhile the oldest are dropped as soon as there are more
// than [Hook.Queue]. What was dropped is counted and reported, and the next delivery says how many were (missed).
//
// Nothing happens while there are no events: a hook waits for the feed.
//
// # Concurrency
//
// A [Runner] has two goroutines for each hook, and [Runner.Close] ends them, or [Runner.Hand] for another one that goes on.
package hooks
