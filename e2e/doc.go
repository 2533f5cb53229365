// Package e2e drives the real brood from outside: real servers, a real systemd, a
// real nft, real kills, under load. Its tests are built with the tag e2e:
//
//	go test -tags e2e ./e2e
//
// BROOD_BIN names the binary to test; without it the tests build one. A story
// that needs what this machine lacks is skipped, and fails with CI=true.
//
// Promise: every test is bounded in time and leaves no process behind, each story
// is in the file of its name, and no failure is excused that is not counted.
//
// Concurrency: the tests load the machine and are not run in parallel.
package e2e
