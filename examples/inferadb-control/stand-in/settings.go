package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	prefix  = "INFERADB__CONTROL__"
	maxID   = 1023 // ten bits of an id
	keySize = 32   // bytes
)

// settings are the flags, or their variables: a flag beats a variable beats the default.
type settings struct {
	listen, storage, ledgerEndpoint, ledgerClientID string
	keyFile, pem, blindingKey                       string
	logLevel, logFormat                             string
	workerID                                        uint
	random, devMode                                 bool

	// Not the real one's: times for tests.
	start time.Duration // STAND_IN_START: before it listens, and from there to the end of the start
	cache time.Duration // STAND_IN_CACHE: how long what is known of the storage counts
}

func parse(args []string, getenv func(string) string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("inferadb-control", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:9090", "")
	flags.StringVar(&s.storage, "storage", "ledger", "")
	flags.StringVar(&s.ledgerEndpoint, "ledger-endpoint", "", "")
	flags.StringVar(&s.ledgerClientID, "ledger-client-id", "", "")
	flags.StringVar(&s.keyFile, "key-file", "./data/master.key", "")
	flags.StringVar(&s.pem, "pem", "", "")
	flags.StringVar(&s.blindingKey, "email-blinding-key", "", "")
	flags.StringVar(&s.logLevel, "log-level", "info", "")
	flags.StringVar(&s.logFormat, "log-format", "auto", "")
	flags.UintVar(&s.workerID, "worker-id", maxID+1, "")
	// Everything but this one has a variable.
	var variables error
	flags.VisitAll(func(f *flag.Flag) {
		name := prefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value := getenv(name); value != "" {
			if err := f.Value.Set(value); err != nil {
				variables = errors.Join(variables, fmt.Errorf("cannot use %s: %w", name, err))
			}
		}
	})
	flags.BoolVar(&s.devMode, "dev-mode", false, "")
	given := getenv(prefix+"WORKER_ID") != ""
	if err := errors.Join(variables, flags.Parse(args)); err != nil {
		return s, err
	}
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "worker-id" })
	if !given {
		s.random, s.workerID = true, rand.UintN(maxID+1) //nolint:gosec // an id, and no secret
	}
	for name, target := range map[string]*time.Duration{"STAND_IN_START": &s.start, "STAND_IN_CACHE": &s.cache} {
		*target, _ = time.ParseDuration(getenv(name)) // 0 if there is none
	}
	if getenv("STAND_IN_CACHE") == "" {
		s.cache = 5 * time.Second
	}
	return s, s.check()
}

func (s settings) check() error {
	switch {
	case s.workerID > maxID:
		return fmt.Errorf("invalid value '%d' for '--worker-id': %d is not in 0..=%d", s.workerID, s.workerID, maxID)
	case s.storage != "ledger" && s.storage != "memory":
		return fmt.Errorf("invalid value '%s' for '--storage' [memory, ledger]", s.storage)
	case s.storage == "ledger" && (s.ledgerEndpoint == "" || s.ledgerClientID == ""):
		return errors.New("--storage ledger needs --ledger-endpoint and --ledger-client-id")
	case s.blindingKey != "" && len(s.blindingKey) != 2*keySize:
		return errors.New("--email-blinding-key needs 64 hexadecimal digits")
	}
	return nil
}

// logger writes to stdout: objects, or text if that is a terminal and nothing was said.
func (s settings) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.logLevel)) // trace, which slog does not know, is info here
	options := &slog.HandlerOptions{Level: level}
	terminal := false
	if info, err := os.Stdout.Stat(); err == nil {
		terminal = info.Mode()&os.ModeCharDevice != 0
	}
	if s.logFormat == "text" || s.logFormat == "auto" && terminal {
		return slog.New(slog.NewTextHandler(os.Stdout, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stdout, options))
}

// who says who answered, as the load of the tests wants to know.
func (s settings) who() string {
	return "id=" + strconv.FormatUint(uint64(s.workerID), 10) + " pid=" + strconv.Itoa(os.Getpid())
}
