// Command guest is a guest of the tests as a program of its own:
// guest testguest NAME [flags].
package main

import (
	"fmt"
	"os"

	"github.com/broodctl/brood/internal/testguest"
)

func main() {
	testguest.Main()
	fmt.Fprintf(os.Stderr, "usage: %s %s NAME [flags]\n", os.Args[0], testguest.Word)
	os.Exit(2)
}
