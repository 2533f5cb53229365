// Package events is what happened, as objects for programs, in the order in which it happened.
//
// Whoever wants to hear of it reads a [Feed] at its own pace, and comes back with the number of the last event that it
// has. The feed keeps the latest events only: who falls behind is told how many it has missed, and nobody waits for it.
//
// It imports nothing of ours. docs/events.md is the contract with those who read the JSON.
package events
