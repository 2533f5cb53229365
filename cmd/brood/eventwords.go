package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor/events"
)

// eventWords says for people whose an event is, what happened, and why. A kind that is not known yet is told by its state.
func eventWords(e *control.Event) string {
	if e.Missed > 0 {
		return fmt.Sprintf("%s: %d events are not kept any more", e.Kind, e.Missed)
	}
	var words string
	switch e.Kind {
	case events.Death:
		words = deathOf(&e.Event)
	case events.Rollout:
		words = fmt.Sprintf("rollout of generation %d: %s", e.Generation, e.State)
	case events.Scale:
		words = fmt.Sprintf("scaled: %d -> %d workers", e.Before, e.Workers)
	case events.Repair:
		words = "listener " + e.Listener + " was put back"
	case events.Signal:
		words = "signal " + e.Signal
	case events.Request:
		words = requestOf(&e.Event)
	case events.Reload:
		words = "reload: " + e.State
	case events.State:
		words = "supervisor: " + movedWords(&e.Event)
	case events.Pool:
		words = "pool: " + movedWords(&e.Event)
	case events.Worker:
		words = movedWords(&e.Event) + workerWords(&e.Event)
	default:
		words = string(e.Kind) + ": " + movedWords(&e.Event)
	}
	if e.Kind != events.Death {
		words = whyWords(words, &e.Event)
	}
	if at := eventPlace(&e.Event); at != "" {
		words = at + " " + words
	}
	return words
}

func whyWords(words string, e *events.Event) string {
	all := []string{words, e.Detail, e.Reason}
	return strings.Join(slices.DeleteFunc(all, func(part string) bool { return part == "" }), ": ")
}

// eventPlace is the slot or the pool that an event is of.
func eventPlace(e *events.Event) string {
	if e.Slot != nil && e.Pool != "" {
		return e.Pool + "." + strconv.Itoa(*e.Slot)
	}
	return e.Pool
}

func movedWords(e *events.Event) string {
	if e.From == "" {
		return e.State
	}
	return e.From + " -> " + e.State
}

// workerWords tell workers of a slot from each other.
func workerWords(e *events.Event) string {
	var words []string
	if e.PID != 0 {
		words = append(words, fmt.Sprintf("pid %d", e.PID))
	}
	if e.Generation != 0 {
		words = append(words, fmt.Sprintf("generation %d", e.Generation))
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

func deathOf(e *events.Event) string {
	words := e.Cause
	if e.Exit != "" {
		words += ": " + e.Exit
	}
	words = whyWords(words, e)
	if e.Age != nil && e.PID != 0 {
		words += ", after " + text.Age(time.Duration(*e.Age*float64(time.Second)))
	}
	words += workerWords(e)
	if e.Next != "" {
		words += "; " + e.Next
	}
	if e.After > 0 {
		words += " of " + text.Age(time.Duration(e.After*float64(time.Second)))
	}
	return words
}

// requestOf says who wanted something. From is the address of who asked from elsewhere, and has no user.
func requestOf(e *events.Event) string {
	var who []string
	if e.UID != nil {
		who = append(who, "user "+strconv.Itoa(*e.UID))
	}
	if e.PID != 0 {
		who = append(who, fmt.Sprintf("pid %d", e.PID))
	}
	if e.From != "" {
		who = append(who, e.From)
	}
	words := e.Verb + " asked for"
	if len(who) > 0 {
		words += " by " + strings.Join(who, ", ")
	}
	return words
}
