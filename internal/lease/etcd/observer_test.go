package etcd_test

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease/remote"
)

// use is what a holder did with a place. It ends when the holder said so or was dead, and at its deadline at the latest:
// then something that is not the holder would have ended it.
type use struct {
	who        string
	place      string
	fence      uint64
	begin, end time.Duration
}

// observer hears of all uses, and knows nothing of etcd.
type observer struct {
	mu    sync.Mutex
	uses  []use
	begun map[string]time.Duration // when a place was begun to be used last
	users map[string]int           // how many places each holder uses now
	news  chan struct{}            // has one value after some
}

func newObserver() *observer {
	return &observer{begun: map[string]time.Duration{}, users: map[string]int{}, news: make(chan struct{}, 1)}
}

// listen follows one holder until it is dead.
func (o *observer) listen(who string, said io.Reader) {
	clock := remote.Boottime{}
	var until time.Duration
	open := map[string]use{}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		u := use{who: who}
		var name string
		var place int
		switch word {
		case "until":
			fmt.Sscan(rest, &until)
			continue
		case "begin":
			fmt.Sscan(rest, &name, &place, &u.fence, &u.begin)
			u.place = fmt.Sprint(name, " ", place)
			open[u.place] = u
			o.began(u)
		case "end":
			fmt.Sscan(rest, &name, &place, &u.end)
			u.place = fmt.Sprint(name, " ", place)
			o.ended(open[u.place], u.end, until)
			delete(open, u.place)
		}
	}
	for _, u := range open {
		o.ended(u, clock.Now(), until)
	}
}

func (o *observer) began(u use) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun[u.place] = max(o.begun[u.place], u.begin)
	o.users[u.who]++
	select {
	case o.news <- struct{}{}:
	default:
	}
}

func (o *observer) ended(u use, end, until time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users[u.who]--
	if u.end = min(end, until); u.begin < u.end { // or it was frozen before it could begin
		o.uses = append(o.uses, u)
	}
}

// using says whether a holder uses a place now.
func (o *observer) using(who string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.users[who] > 0
}

// awaitAll waits until each place was begun to be used after a time.
func (o *observer) awaitAll(t *testing.T, since time.Duration, patience time.Duration) {
	t.Helper()
	late := time.After(patience)
	for {
		missing := o.unused(since)
		if len(missing) == 0 {
			return
		}
		select {
		case <-o.news:
		case <-late:
			t.Errorf("nobody used %v again within %v", missing, patience)
			return
		}
	}
}

func (o *observer) unused(since time.Duration) (missing []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, among := range wanted {
		for place := among.First; place <= among.Last; place++ {
			if key := fmt.Sprint(name, " ", place); o.begun[key] < since {
				missing = append(missing, key)
			}
		}
	}
	return missing
}

// judge compares the uses of each place: none begins before the one before has ended, and fences grow.
func (o *observer) judge(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.SortFunc(o.uses, func(a, b use) int { return int(a.begin - b.begin) })
	last := map[string]use{}
	for _, u := range o.uses {
		before, some := last[u.place]
		switch {
		case some && u.begin < before.end:
			t.Errorf("%s is used by %s from %v and by %s until %v", u.place, u.who, u.begin, before.who, before.end)
		case some && u.fence <= before.fence:
			t.Errorf("%s: the fence of %s is %d, that of %s before was %d", u.place, u.who, u.fence, before.who, before.fence)
		}
		if u.end > before.end {
			last[u.place] = u
		}
	}
}
