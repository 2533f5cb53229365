package hooks

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Command is a program that is run for each event.
type Command struct {
	Argv []string
	// Run runs a program with these variables beside the supervisor's own, and this as its standard input, and waits for
	// its end. An exit other than 0 is an error. With the context it is killed.
	Run func(ctx context.Context, argv, env []string, stdin []byte) error
}

// Deliver runs the program, with the message as a line of JSON on its standard input and the most wanted of it in variables.
func (c *Command) Deliver(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("cannot write event: %w: %w", ErrRefused, err)
	}
	return c.Run(ctx, c.Argv, variables(m), append(body, '\n'))
}

// variables are those of an event.
func variables(m Message) []string {
	env := []string{
		"BROOD_EVENT=" + string(m.Kind), "BROOD_EVENT_ID=" + strconv.FormatUint(m.ID, 10), "BROOD_NAME=" + m.Name,
	}
	for _, v := range [...]struct{ name, value string }{
		{"BROOD_POOL", m.Pool}, {"BROOD_STATE", m.State}, {"BROOD_FROM", m.From}, {"BROOD_CAUSE", m.Cause}, {"BROOD_REASON", m.Reason},
	} {
		if v.value != "" {
			env = append(env, v.name+"="+strings.ReplaceAll(v.value, "\x00", ""))
		}
	}
	if m.Slot != nil {
		env = append(env, "BROOD_SLOT="+strconv.Itoa(*m.Slot))
	}
	if m.PID != 0 {
		env = append(env, "BROOD_PID="+strconv.Itoa(m.PID))
	}
	return env
}
