// Command mutate plants bugs in supervisor/machine, one at a time, and demands that the exhaustive search finds each of them.
// The tree is not changed: the go command is told to overlay one file. docs/mutations.md holds the result.
//
//	go run ./internal/mutate           plant, search, compare with the page
//	go run ./internal/mutate -write    plant, search, write the page
//	go run ./internal/mutate -only ID  plant one bug and show what the search says
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	write := flag.Bool("write", false, "write "+page+" instead of comparing it")
	only := flag.String("only", "", "plant this bug alone, by the start of its name, and show the output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *write, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, write bool, only string) error {
	if only != "" {
		return show(ctx, only)
	}
	results, err := plantAll(ctx)
	if err != nil {
		return err
	}
	text := render(results)
	fmt.Print(text[tableAt(text):])
	var survivors []error
	for _, r := range results {
		if len(r.rules) == 0 {
			survivors = append(survivors, fmt.Errorf("%q survived the search", r.name))
		}
	}
	if err := errors.Join(survivors...); err != nil {
		return err
	}
	if write {
		return os.WriteFile(page, []byte(text), 0o644)
	}
	return compare(text)
}
