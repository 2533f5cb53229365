package top

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/control"
)

// A key that moves a page does so at once, however often the other one was pressed at its end.
func TestScrollingEndsWithThePage(t *testing.T) {
	for _, page := range []string{"4", "5"} {
		s := begin(t, 80, 12)
		s.press("down", "enter", page)
		news := seen(s.model.detail.worker)
		for i := range 30 {
			news.Detail.Environ = append(news.Detail.Environ, news.Detail.Environ[1])
			news.Detail.Environ[i].Name = fmt.Sprintf("NAME_%d", i)
		}
		s.tell(news)
		for _, keys := range [][2]string{{"down", "up"}, {"up", "down"}, {"pgdown", "up"}, {"end", "up"}, {"home", "down"}} {
			for range 50 {
				s.press(keys[0])
			}
			before := s.screen()
			s.press(keys[1])
			if s.screen() == before {
				t.Errorf("page %s: %s does nothing after many times %s:\n%s", page, keys[1], keys[0], before)
			}
		}
	}
}

// Who reads further up in a log is not disturbed by what is written meanwhile.
func TestLogStaysWhereItIsRead(t *testing.T) {
	s := begin(t, 80, 12)
	s.press("down", "enter", "5")
	news := seen(s.model.detail.worker)
	s.tell(news)
	s.press("pgup", "pgup")
	before := s.screen()
	for i := range 3 {
		news.Detail.Log = append(news.Detail.Log, control.LogLine{
			Time: start().Add(time.Hour + time.Duration(i)*time.Second), Stream: "stdout", Text: strings.Repeat("long ", 30),
		})
	}
	s.tell(news)
	if after := s.screen(); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	s.press("end")
	s.shows("long long")
}

// Nothing of a line is out of reach.
func TestLongLinesAreBroken(t *testing.T) {
	s := begin(t, 40, 24)
	s.press("down", "enter", "5")
	news := seen(s.model.detail.worker)
	news.Detail.Log[59].Text = strings.Repeat("0123456789", 20) + "the end"
	s.tell(news)
	s.shows("the end")
	s.hides(" line 59")
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		width int
		want  []string
	}{
		{3, []string{"abc", "def", "g"}},
		{4, []string{"abcd", "efg"}},
		{7, []string{"abcdefg"}},
	} {
		var got []string
		for _, l := range words(title, "ab").say(plain, "cde").say(bad, "fg").wrap(tc.width) {
			text := ""
			for _, s := range l {
				text += s.text
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != strings.Join(tc.want, "|") {
			t.Errorf("%d: %q, want %q", tc.width, got, tc.want)
		}
	}
	if got := len(words(plain, "日本語").wrap(3)); got != 3 {
		t.Errorf("wide characters take %d lines", got)
	}
	if got := len(line(nil).wrap(3)); got != 1 {
		t.Errorf("an empty line has become %d", got)
	}
}
