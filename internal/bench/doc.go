// Command bench measures brood against the least that this machine can do, and
// prints a table.
//
//	go run ./internal/bench -brood bin/brood [-only REGEXP] [-rounds 5]
//
// A floor is a C program of 60 lines (testdata/floor.c) that starts, restarts,
// signals and reaps the same workers without any of a supervisor's duties. Floor
// and brood take turns in the same run, round after round, and the table has the
// median of each and their ratio, so that a slow or busy machine moves both.
//
// Workers tell their times through a shared memory (see board), so that the
// measuring costs them nothing. All times are CLOCK_MONOTONIC.
//
// Promise: every wait is bounded, workers end by themselves after ten minutes,
// and nothing runs when the command has returned.
//
// Concurrency: figures run one after another on one goroutine; what they start
// they wait for.
package main
