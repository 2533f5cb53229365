package top

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
)

func TestScreens(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {120, 40}, {60, 15}} {
		for name, tell := range map[string]func(s *story){
			"list":    func(*story) {},
			"chosen":  func(s *story) { s.press("down", "down", "down") },
			"by-cpu":  func(s *story) { s.press(">", ">", ">", ">") },
			"sick":    func(s *story) { s.press("u") },
			"folded":  func(s *story) { s.press("c") },
			"roll":    func(s *story) { s.press("r") },
			"worker":  func(s *story) { s.press("down", "enter"); s.tell(seen(s.model.detail.worker)) },
			"environ": func(s *story) { s.press("down", "enter", "4"); s.tell(seen(s.model.detail.worker)) },
			"log":     func(s *story) { s.press("down", "enter", "5"); s.tell(seen(s.model.detail.worker)) },
			"help":    func(s *story) { s.press("?") },
			"lost":    func(s *story) { s.tell(Lost{At: s.at.Add(time.Second)}); s.tell(Lost{At: s.at.Add(13 * time.Second)}) },
			"failed": func(s *story) {
				s.tell(Answered{What: "roll web", Err: errRefused, Lines: []string{"Error: listen EADDRINUSE", "    at Server.setupListenHandle"}})
			},
		} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size.width, size.height), func(t *testing.T) {
				s := begin(t, size.width, size.height)
				tell(s)
				s.golden(fmt.Sprintf("%s-%dx%d", name, size.width, size.height))
			})
		}
	}
}

// Colours change nothing of the text, and without them there are none.
func TestColours(t *testing.T) {
	plain, coloured := begin(t, 80, 24), begin(t, 80, 24)
	coloured.model.palette = newPalette(true)
	if plain.screen() != coloured.screen() {
		t.Errorf("without colours:\n%s\nwith colours:\n%s", plain.screen(), coloured.screen())
	}
	for _, sequence := range looks.FindAllString(plain.model.View(), -1) {
		switch sequence {
		case "\x1b[1m", "\x1b[7m", "\x1b[m", "\x1b[0m":
		default:
			t.Errorf("%q without colours", sequence)
		}
	}
	compareGolden(t, "coloured-80x24.txt", strings.ReplaceAll(coloured.model.View(), "\x1b", "^["))
}

// No size is too small, and the cursor is always to be seen.
func TestSmallTerminals(t *testing.T) {
	for height := range 12 {
		for _, width := range []int{0, 1, 2, 5, 9, 20, 33} {
			s := begin(t, 80, 24)
			s.press("end")
			if width == 0 || height == 0 {
				s.model, _ = s.model.Update(tea.WindowSizeMsg{Width: width, Height: height})
				if s.model.View() != "" {
					t.Errorf("something on a terminal of %dx%d", width, height)
				}
				continue
			}
			s.tell(tea.WindowSizeMsg{Width: width, Height: height})
			s.press("r", "esc", "?", "down", "end", "esc", "home", "down", "enter", "tab", "pgdown", "esc", "/", "x", "enter", "esc")
		}
	}
}

// The page about top shows screens that are so. Empty rows are left out there.
func TestPageShowsTrueScreens(t *testing.T) {
	page, err := os.ReadFile("../../docs/top.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)<!-- ([a-z0-9-]+) -->\n```\n(.*?)```").FindAllSubmatch(page, -1)
	if len(shown) < 3 {
		t.Errorf("the page shows %d screens", len(shown))
	}
	empty := regexp.MustCompile(`\n\n+`)
	for _, m := range shown {
		screen, err := os.ReadFile(filepath.Join("testdata", string(m[1])+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(empty.ReplaceAllString(string(screen), "\n"), empty.ReplaceAllString(string(m[2]), "\n")); diff != "" {
			t.Errorf("%s (-screen +page):\n%s", m[1], diff)
		}
	}
}
