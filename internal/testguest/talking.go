package testguest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// talking says READY=1, and then writes lines: its pid, their number from 1, and filling. When it has written all it
// goes on living in silence. It ends with 0 on TERM, and with 1 if it cannot write.
func talking(args []string) int {
	flags := newFlags("talking")
	every := flags.Duration("every", 10*time.Millisecond, "how often it writes")
	burst := flags.Int("burst", 1, "how many `lines` at once")
	size := flags.Int("size", 80, "`bytes` of a line, its end included")
	total := flags.Int("total", 1<<30, "how many `lines` in all")
	begin := flags.String("begin", "", "`text` that each line begins with")
	onStderr := flags.Bool("stderr", false, "write to the standard error")
	if code, ok := parse(flags, args); !ok {
		return code
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := notify("READY=1"); err != nil {
		return fail(err)
	}
	to := os.Stdout
	if *onStderr {
		to = os.Stderr
	}
	tick := time.NewTicker(*every)
	defer tick.Stop()
	for said := 0; ; {
		select {
		case <-signals:
			return 0
		case <-tick.C:
		}
		n := min(*burst, *total-said)
		if err := talk(to, *begin, said, n, *size); err != nil {
			return fail(err)
		}
		said += n
	}
}

// talk writes so many lines at once.
func talk(to io.Writer, begin string, said, n, size int) error {
	var b bytes.Buffer
	for i := range n {
		line := fmt.Sprintf("%s%d %d ", begin, os.Getpid(), said+i+1)
		b.WriteString(line + strings.Repeat("x", max(0, size-len(line)-1)) + "\n")
	}
	if _, err := b.WriteTo(to); err != nil {
		return fmt.Errorf("cannot talk: %w", err)
	}
	return nil
}
