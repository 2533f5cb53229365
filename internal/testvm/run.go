package testvm

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

const exitMark = "testvm exit "

// Run runs a command line in the machine's shell and gives its exit code. Each line that the command writes, to whichever
// output, is handed on at once. The command may not contain a newline. When ctx ends first, or the machine does, the
// test fails and the machine is no more.
func (m *Machine) Run(ctx context.Context, command string, each func(line string)) (code int) {
	m.t.Helper()
	code, err := m.run(ctx, command, each)
	if err != nil {
		m.t.Fatalf("cannot run %q in the machine: %v\n%s", command, err, m.tail())
	}
	return code
}

func (m *Machine) run(ctx context.Context, command string, each func(line string)) (code int, err error) {
	stop := context.AfterFunc(ctx, func() { _ = m.cmd.Process.Kill() })
	defer stop()
	if _, err := m.in.WriteString(command + "\n"); err != nil {
		return 0, err
	}
	blank := false // held back: the mark begins with a newline of its own
	for {
		line, err := m.lines.ReadString('\n')
		if err != nil {
			return 0, errors.Join(fmt.Errorf("the machine ended: %w", err), context.Cause(ctx))
		}
		line = strings.TrimRight(line, "\r\n")
		if _, err := fmt.Sscanf(line, exitMark+"%d", &code); err == nil {
			return code, nil
		}
		if blank {
			each("")
		}
		if blank = line == ""; !blank {
			each(line)
		}
	}
}

// Must runs a command that has to end with 0, and gives what it wrote without the space around it.
func (m *Machine) Must(ctx context.Context, command string) string {
	m.t.Helper()
	var out strings.Builder
	if code := m.Run(ctx, command, func(line string) { out.WriteString(line + "\n") }); code != 0 {
		m.t.Fatalf("%q ended with %d\n%s", command, code, out.String())
	}
	return strings.TrimSpace(out.String())
}
