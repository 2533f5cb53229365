package top

import (
	"slices"
	"time"

	"github.com/broodctl/brood/internal/control"
)

// scroll moves the page of a worker by so many lines, and not beyond its ends.
func (m Model) scroll(by int) Model {
	d := &m.detail
	if d.page.grows() {
		by = -by
	}
	d.back = max(0, min(d.back+by, len(m.pageLines())-m.pageRoom()))
	return m
}

// stay keeps in view what somebody reads above the end of a page, though there is more behind it than before.
func (m Model) stay(before *Detail) Model {
	d := &m.detail
	if d.back == 0 {
		return m
	}
	var news Detail
	switch d.page {
	case onLog:
		news.Log = newer(d.detail.Log, before.Log, func(l control.LogLine) time.Time { return l.Time })
		d.back += len(m.wrapped(logLines(&news)[:len(news.Log)]))
	case onEvents:
		news.Events = newer(d.detail.Events, before.Events, func(e control.Event) time.Time { return e.Time })
		d.back += len(m.wrapped(eventLines(&news)[:len(news.Events)]))
	case onProcesses, onFiles, onLimits, onEnviron, pages:
	}
	return m
}

// newer is what of a list is later than all that was in it before.
func newer[T any](list, before []T, at func(T) time.Time) []T {
	if len(before) == 0 {
		return nil
	}
	last := at(before[len(before)-1])
	i := slices.IndexFunc(list, func(item T) bool { return at(item).After(last) })
	if i < 0 {
		return nil
	}
	return list[i:]
}

// wrapped breaks the lines that are wider than the terminal.
func (m Model) wrapped(all []line) []line {
	var broken []line
	for _, l := range all {
		broken = append(broken, l.wrap(m.width)...)
	}
	return broken
}
