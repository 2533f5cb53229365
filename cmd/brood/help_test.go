package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/text"
)

// Every command is in one of the groups of the help.
func TestHelpHasEveryCommand(t *testing.T) {
	var grouped, visible []string
	for _, g := range commandGroups() {
		grouped = append(grouped, g.commands...)
	}
	for _, c := range newApp(io.Discard, io.Discard).VisibleCommands() {
		visible = append(visible, c.Name)
	}
	slices.Sort(grouped)
	slices.Sort(visible)
	if !slices.Equal(grouped, visible) {
		t.Errorf("the help has %q, want %q", grouped, visible)
	}
}

// The help of no command is wider than the terminal, nor does it leave a flag out.
func TestHelpFits(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	for _, c := range append(app.VisibleCommands(), nil) {
		for _, width := range []int{0, 70, 200} {
			var out strings.Builder
			printHelp(&out, app, c, width)
			if width == 0 {
				width = helpWidth
			}
			for line := range strings.Lines(out.String()) {
				if text.Width(strings.TrimSuffix(line, "\n")) > width || strings.HasSuffix(line, " \n") {
					t.Errorf("%d columns: %q", width, line)
				}
			}
			if c == nil {
				continue
			}
			for _, f := range c.VisibleFlags() {
				if !strings.Contains(out.String(), dashed(f.Names()[0])) {
					t.Errorf("brood %s: no --%s", c.Name, f.Names()[0])
				}
			}
		}
	}
}
