// Command brood runs N copies of any server and makes them behave as one service.
//
// Words come in here and exit codes go out: the packages below know nothing of flags.
package main

import (
	"os"
	"runtime"

	// First, and before everything that has something to initialise: in a child that is about to become a worker it
	// replaces the process, and never comes back.
	_ "github.com/broodctl/brood/worker/shim"
)

func init() {
	// Workers are forked on the main thread, because the kernel ties their parent-death signal to the thread that
	// forked them, and only the main thread lives as long as the process. Locking it is possible here alone.
	runtime.LockOSThread()
}

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }
