// Command compat tries servers of others under the built brood, and writes the page
// about them.
//
//	go run ./internal/compat/compat -brood bin/brood [-only REGEXP] [-times 10] [-page docs/compatibility]
//
// Each is written down as soon as it is done. With -only the others keep what was seen of them before.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/compat"
)

var errMissing = errors.New("packages are missing")

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, note io.Writer) int {
	flags := flag.NewFlagSet("compat", flag.ContinueOnError)
	flags.SetOutput(note)
	brood := flags.String("brood", "bin/brood", "the `program` to try them with")
	only := flags.String("only", "", "try those whose names match this `regexp`")
	times := flags.Int("times", 10, "how many rollouts, reloads and kills")
	page := flags.String("page", "docs/compatibility", "`path` of the page and its figures, without .md and .json")
	port := flags.Int("port", 18750, "the first of two free ports")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		_, _ = fmt.Fprintln(note, "compat: bad -only:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	path, err := filepath.Abs(*brood)
	if err == nil {
		runner := &compat.Runner{Brood: path, Port: *port, Workers: 2, Times: *times, Settle: time.Second, Unasked: 5 * time.Second}
		err = try(ctx, runner, pattern, *page, note)
	}
	if err != nil {
		_, _ = fmt.Fprintln(note, "compat:", err)
		return 1
	}
	return 0
}

// try tries all that match, and writes down each as soon as it is done.
func try(ctx context.Context, runner *compat.Runner, only *regexp.Regexp, page string, note io.Writer) error {
	// Debian's programs first, also those for root: what else lies in the PATH is not what the page is about.
	if err := os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:"+os.Getenv("PATH")); err != nil {
		return fmt.Errorf("cannot set PATH: %w", err)
	}
	servers, strangers := matching(only)
	if missing := compat.Missing(servers, strangers); len(missing) > 0 {
		return fmt.Errorf("%w: apt-get install --no-install-recommends %s", errMissing, strings.Join(missing, " "))
	}
	report, err := compat.Load(page + ".json")
	if err != nil || report.Times != runner.Times {
		report = compat.Report{Times: runner.Times} // figures of other runs would not compare
	}
	var failed error // the others are tried all the same
	for _, s := range servers {
		_, _ = fmt.Fprintf(note, "%s %s: ", time.Now().Format(time.TimeOnly), s.Name)
		result, err := runner.Try(ctx, s)
		if err != nil {
			_, _ = fmt.Fprintln(note, err)
			failed = errors.Join(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		_, _ = fmt.Fprintf(note, "pid %t, notify %t, %s; reload %s; rollouts %s; kills %s\n", result.ChecksPID, result.Notifies, result.Exit,
			result.Reload, result.Rollouts, result.Kills)
		report.Put(result)
		if err := report.Save(page + ".json"); err != nil { // minutes are in it
			return err
		}
	}
	for _, s := range strangers {
		own, err := runner.TryOwn(ctx, s)
		if err != nil {
			failed = errors.Join(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		_, _ = fmt.Fprintf(note, "%s: %d answered, %s\n", s.Name, own.Answered, own.Exit)
		report.PutOwn(own)
	}
	if err := errors.Join(failed, report.Save(page+".json")); err != nil {
		return err
	}
	text, err := compat.Page(report)
	if err != nil {
		return err
	}
	return os.WriteFile(page+".md", []byte(text), 0o644)
}

func matching(only *regexp.Regexp) (servers []compat.Server, strangers []compat.Stranger) {
	for _, s := range compat.Servers() {
		if only.MatchString(s.Name) {
			servers = append(servers, s)
		}
	}
	for _, s := range compat.Strangers() {
		if only.MatchString(s.Name) {
			strangers = append(strangers, s)
		}
	}
	return servers, strangers
}
