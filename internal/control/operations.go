package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// operationsKept is how many operations are remembered, those under way among them.
const operationsKept = 100

// Operations is the answer of PathOperations, the oldest first.
type Operations struct {
	Operations []Operation `json:"operations"`
}

// operations are the latest ones. They go on when nobody waits for them, until the server ends.
type operations struct {
	sup     Supervisor
	ctx     context.Context //nolint:containedctx // of all that are under way
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	all    []*under
	serial int
	held   bool // none begins
}

func newOperations(sup Supervisor) *operations {
	o := &operations{sup: sup}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o
}

// end leaves those alone that are under way, and waits for who waits for them.
func (o *operations) end() {
	o.mu.Lock()
	o.cancel() // from here on none begins that would have to be waited for
	o.mu.Unlock()
	o.running.Wait()
}

// hold says whether others may begin.
func (o *operations) hold(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = held
}

var (
	// errTooMany is of a request that finds no room.
	errTooMany = fmt.Errorf("%d operations are under way; wait for the end of some", operationsKept)
	// errHeld is of one that comes too late for this program, and cannot wait for the next.
	errHeld = errors.New("another version of brood takes over right now: ask again")
)

// begin starts an operation.
func (o *operations) begin(op *under, req supervisor.Request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx.Err() != nil {
		return supervisor.ErrStopped // a page for browsers is served a little longer than the socket
	}
	if o.held {
		return errHeld
	}
	if len(o.all) >= operationsKept {
		oldest := o.leastWanted()
		if oldest < 0 && !ends(req) {
			return errTooMany
		}
		oldest = max(oldest, 0)
		o.all[oldest].forget(errOvertaken)
		o.all = slices.Delete(o.all, oldest, oldest+1)
	}
	o.serial++
	op.view.ID = idOf(o.serial)
	o.start(op, req, o.sup.Do)
	return nil
}

// idOf is how an operation is called.
func idOf(serial int) string { return "op-" + strconv.Itoa(serial) }

// start asks for an operation, and follows it. The caller holds the lock.
func (o *operations) start(op *under, req supervisor.Request, ask func(context.Context, supervisor.Request) supervisor.Verdict) {
	req.Ticket = op.view.ID
	ctx, forget := context.WithCancelCause(o.ctx)
	op.forget = forget
	o.all = append(o.all, op)
	o.running.Go(func() {
		defer forget(nil)
		if ask != nil {
			op.verdict = ask(o.ctx, req)
			op.aims = aimsOf(o.sup.Published(), req)
			close(op.answered)
		}
		o.run(ctx, op)
	})
}

// leastWanted is the first that has ended, or has at least been answered: a pool may never have as many workers as somebody
// wants again and again, and that must not keep out those who repair it. -1 if there is none.
func (o *operations) leastWanted() int {
	if i := slices.IndexFunc(o.all, func(op *under) bool { return op.view.State != OperationRunning }); i >= 0 {
		return i
	}
	return slices.IndexFunc(o.all, func(op *under) bool { return closed(op.answered) })
}

// ends reports whether a request is one to get out of a mess with: it is never refused for want of room.
func ends(req supervisor.Request) bool {
	return req.Abort || req.Verb == supervisor.Stop || req.Verb == supervisor.Kill
}

// run is an operation that has been answered: its aims are followed until ctx ends.
func (o *operations) run(ctx context.Context, op *under) {
	err := op.verdict.Err
	if err == nil {
		err = follow(ctx, o.sup, o.of(op).Verb, op.aims)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	view := &op.view
	view.State, view.Ended, view.Text, view.Lines = OperationDone, time.Now(), op.verdict.Text, op.verdict.Lines
	if err != nil {
		view.State, view.Error = OperationFailed, err.Error()
		_, view.Code = verdictOf(err)
		view.Hint = hintOf(err)
	}
	close(op.ended)
}

// list returns those in one of the states, all without any.
func (o *operations) list(states []string) []Operation {
	o.mu.Lock()
	defer o.mu.Unlock()
	found := []Operation{}
	for _, op := range o.all {
		if wants(states, op.view.State) {
			found = append(found, op.view)
		}
	}
	return found
}

// find returns the operation of an id, nil if it is not known any more.
func (o *operations) find(id string) *under {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.all, func(op *under) bool { return op.view.ID == id })
	if i < 0 {
		return nil
	}
	return o.all[i]
}

// of is how an operation stands.
func (o *operations) of(op *under) Operation {
	o.mu.Lock()
	defer o.mu.Unlock()
	return op.view
}

func (a *api) operations(w http.ResponseWriter, r *http.Request) {
	states := r.URL.Query()["state"]
	for _, s := range states {
		if s != OperationRunning && s != OperationDone && s != OperationFailed {
			refuse(w, http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("cannot read state %q: it is one of running, done, failed", s))
			return
		}
	}
	answer(w, http.StatusOK, Operations{Operations: a.ops.list(states)})
}

// operation tells how one stands, with wait_seconds as soon as it has ended.
func (a *api) operation(w http.ResponseWriter, r *http.Request) {
	op := a.ops.find(r.PathValue("id"))
	if op == nil {
		refuse(w, http.StatusNotFound, CodeNoOperation,
			fmt.Sprintf("no such operation: %q; the last %d are kept", r.PathValue("id"), operationsKept))
		return
	}
	over := a.streams.over()
	if word := r.URL.Query().Get("wait_seconds"); word != "" {
		wait, err := strconv.ParseFloat(word, 64)
		if err = errors.Join(err, checkWait(wait)); err != nil {
			refuse(w, http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("cannot read wait_seconds %q: %v", word, err))
			return
		}
		select {
		case <-op.ended:
		case <-time.After(seconds(wait)):
		case <-over:
		case <-r.Context().Done():
		}
	}
	answer(w, http.StatusOK, a.ops.of(op))
}
