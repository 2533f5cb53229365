package leasetest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

func (w World) memo(t *testing.T, e lease.Engine, name string) lease.Memo {
	t.Helper()
	m, err := e.Memo(w.context(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w World) write(t *testing.T, e lease.Engine, name, text string, since uint64) lease.Memo {
	t.Helper()
	m, err := e.SetMemo(w.context(t), name, text, since)
	if err != nil {
		t.Fatal(err)
	}
	if m.Text != text || m.Revision <= since {
		t.Fatalf("wrote %q after revision %d, and it is %+v", text, since, m)
	}
	return m
}

// What is written is read by others, also when its writer is gone, and is not written over by who has not read it.
func memo(t *testing.T, w World) {
	es := w.engines(t, 3)
	if m := w.memo(t, es[0], "web"); m != (lease.Memo{}) {
		t.Fatalf("nobody has written, and it is %+v", m)
	}
	first := w.write(t, es[0], "web", "paused\nby somebody", 0)
	for i, since := range []uint64{0, first.Revision + 1} {
		if _, err := es[1].SetMemo(w.context(t), "web", "not seen", since); !errors.Is(err, lease.ErrChanged) || !strings.Contains(err.Error(), "the memo web") {
			t.Errorf("%d: written over: %v", i, err)
		}
	}
	w.write(t, es[1], "web.other", "another", 0)
	second := w.write(t, es[1], "web", strings.Repeat("x", lease.MaxMemo), first.Revision)
	w.Kill(t, es[1])
	if m := w.memo(t, es[2], "web"); m != second {
		t.Errorf("it is %+v, not %+v", m, second)
	}
	if hs := w.holders(t, es[2], "web"); len(hs) != 0 {
		t.Errorf("the memo has holders: %+v", hs)
	}
	w.write(t, es[2], "web", "", second.Revision)
	for _, err := range []error{
		lastError(es[2].SetMemo(w.context(t), "web", strings.Repeat("x", lease.MaxMemo+1), 0)),
		lastError(es[2].SetMemo(w.context(t), "../web", "", 0)),
		lastError(es[2].Memo(w.context(t), strings.Repeat("x", lease.MaxMemoName+1))),
		lastError(es[2].AwaitMemo(w.context(t), "", 0)),
	} {
		if err == nil || errors.Is(err, lease.ErrUnavailable) {
			t.Errorf("a mistake: %v", err)
		}
	}
}

func lastError(_ lease.Memo, err error) error { return err }

// Of many who write at once all are heard.
func memoOfMany(t *testing.T, w World) {
	const writers, each = 6, 3
	es := w.engines(t, 3)
	ctx := w.context(t)
	name := strings.Repeat("m", lease.MaxMemoName)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				err := count(ctx, es[i%len(es)], name)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, lease.ErrChanged):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if m := w.memo(t, es[0], name); m.Text != strconv.Itoa(writers*each) {
		t.Errorf("%d have counted, to %q", writers*each, m.Text)
	}
}

func count(ctx context.Context, e lease.Engine, name string) error {
	m, err := e.Memo(ctx, name)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(m.Text) // nothing is 0
	_, err = e.SetMemo(ctx, name, strconv.Itoa(n+1), m.Revision)
	return err
}

// Who waits is told of what others write, at once where they have, and not before.
func awaitMemo(t *testing.T, w World) {
	es := w.engines(t, 2)
	type answer struct {
		memo lease.Memo
		err  error
	}
	told := make(chan answer)
	await := func(ctx context.Context, since uint64) {
		go func() {
			m, err := es[1].AwaitMemo(ctx, "web", since)
			told <- answer{m, err}
		}()
	}
	m := lease.Memo{}
	for _, text := range []string{"one", "two"} {
		await(w.context(t), m.Revision)
		w.write(t, es[0], "web.other", text, w.memo(t, es[0], "web.other").Revision)
		select {
		case a := <-told:
			t.Fatalf("told although nothing was written: %+v", a)
		case <-time.After(50 * time.Millisecond):
		}
		m = w.write(t, es[0], "web", text, m.Revision)
		if a := <-told; a.err != nil || a.memo != m {
			t.Fatalf("%s was written, and who waited has %+v", text, a)
		}
	}
	await(w.context(t), 0)
	if a := <-told; a.err != nil || a.memo != m {
		t.Errorf("who knew nothing has %+v", a)
	}

	soon, cancel := context.WithCancel(t.Context())
	await(soon, m.Revision)
	cancel()
	if a := <-told; !errors.Is(a.err, context.Canceled) {
		t.Errorf("who gave up has %+v", a)
	}
	await(w.context(t), m.Revision)
	if err := es[1].Close(); err != nil {
		t.Fatal(err)
	}
	for i, err := range []error{(<-told).err, lastError(es[1].Memo(w.context(t), "web")), lastError(es[1].SetMemo(w.context(t), "web", "", m.Revision))} {
		if !errors.Is(err, lease.ErrClosed) {
			t.Errorf("call %d after the end: %v", i, err)
		}
	}
}
