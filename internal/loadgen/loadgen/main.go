// Command loadgen sends a bounded load and prints what became of it. It exits 1
// when a request failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	flags := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	cfg := loadgen.Config{}
	flags.StringVar(&cfg.Network, "network", "tcp", "tcp or unix")
	flags.StringVar(&cfg.Path, "path", "/", "what to get")
	flags.IntVar(&cfg.Clients, "c", 8, "clients")
	flags.Float64Var(&cfg.Rate, "rate", 0, "requests per second (open loop); 0 = closed loop")
	flags.IntVar(&cfg.Requests, "n", 0, "stop after so many requests")
	flags.DurationVar(&cfg.Duration, "d", 10*time.Second, "stop after so long")
	flags.DurationVar(&cfg.Timeout, "timeout", 5*time.Second, "of one request")
	flags.DurationVar(&cfg.Think, "think", 0, "pause between requests of a client")
	keep := flags.Bool("k", false, "keep connections alive")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: loadgen [flags] ADDRESS")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		if err == nil {
			flags.Usage()
		}
		return 2
	}
	cfg.Address = flags.Arg(0)
	if *keep {
		cfg.Reuse = loadgen.KeepAlive
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	result, err := loadgen.Run(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Print(&result)
	if result.Failed() > 0 {
		return 1
	}
	return 0
}
