// Command schema writes docs/brood.schema.json, the JSON Schema of a configuration file, by which editors complete and
// check one while it is written. It is made from config.File, so that the two cannot differ; go generate runs it.
//
// # Promise
//
// What config accepts is valid, but for words that nobody would write, such as a signal in mixed case. The reverse
// does not hold: what a schema cannot say, such as that a listener has to be there, is found by brood check alone.
package main

import (
	"fmt"
	"os"
)

//go:generate go run .

// The paths are relative to this folder, where go generate and the tests run.
const (
	configDir  = ".."
	schemaPath = "../../../docs/brood.schema.json"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this is a main
	}
}

func write() error {
	text, err := generate()
	if err != nil {
		return err
	}
	//nolint:gosec // a page of the documentation, for everybody to read
	if err := os.WriteFile(schemaPath, text, 0o644); err != nil {
		return fmt.Errorf("cannot write schema: %w", err)
	}
	return nil
}
