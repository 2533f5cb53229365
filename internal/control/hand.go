package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/broodctl/brood/supervisor"
)

// hand writes down all operations. None begins meanwhile.
func (o *operations) hand(ctx context.Context, outstanding func(ticket string) bool) Handed {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	o.mu.Lock()
	all, h := slices.Clone(o.all), Handed{Serial: o.serial, Operations: []HandedOperation{}}
	o.mu.Unlock()
	for _, op := range all {
		h.Operations = append(h.Operations, o.handOne(ctx, op, outstanding))
	}
	return h
}

func (o *operations) handOne(ctx context.Context, op *under, outstanding func(ticket string) bool) HandedOperation {
	asked := outstanding(o.of(op).ID)
	if !asked {
		settle(ctx, op)
	}
	h := HandedOperation{Seen: o.of(op)} // behind the waiting
	switch {
	case h.Seen.State != OperationRunning:
	case asked:
		h.Asked = true
	case closed(op.answered):
		h.Answer = &HandedAnswer{Text: op.verdict.Text, Lines: op.verdict.Lines, Aims: op.aims}
	}
	return h
}

// settle waits until an answer that has been given has been understood. An error is the end of an operation.
func settle(ctx context.Context, op *under) {
	select {
	case <-op.answered:
	case <-ctx.Done():
		return
	}
	if op.verdict.Err != nil {
		<-op.ended // any moment
	}
}

// errLost is of an operation that the program before has not told anything of.
var errLost = errors.New("what became of it was lost when another version of brood took over; brood status shows how it stands")

// rejoiner is a supervisor that goes on with what it was asked for by a server before.
type rejoiner interface {
	// Rejoin waits, as Do does, for the answer to a request that was made of the program before.
	Rejoin(ctx context.Context, ticket string) supervisor.Verdict
}

// take goes on with what the server before has left. What makes no sense is left out: whoever cares has called Check.
func (o *operations) take(h *Handed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.serial = h.Serial
	for i := range h.Operations {
		if req, err := h.Operations[i].request(); err == nil {
			o.takeOne(&h.Operations[i], req)
		}
	}
}

// takeOne goes on with one. The caller holds the lock.
func (o *operations) takeOne(h *HandedOperation, req supervisor.Request) {
	op := &under{view: h.Seen, answered: make(chan struct{}), ended: make(chan struct{})}
	switch {
	case h.Seen.State != OperationRunning:
		op.forget = func(error) {}
		close(op.answered)
		close(op.ended)
		o.all = append(o.all, op)
	case h.Answer != nil:
		op.verdict, op.aims = supervisor.Verdict{Text: h.Answer.Text, Lines: h.Answer.Lines}, h.Answer.Aims
		close(op.answered)
		o.start(op, req, nil)
	case h.Asked:
		o.start(op, req, o.rejoin)
	default:
		o.start(op, req, o.sup.Do) // nobody has heard of it
	}
}

func (o *operations) rejoin(ctx context.Context, req supervisor.Request) supervisor.Verdict {
	sup, ok := o.sup.(rejoiner)
	if !ok {
		return supervisor.Verdict{Err: fmt.Errorf("cannot wait for the end of %s: %w", req.Verb, errLost)}
	}
	return sup.Rejoin(ctx, req.Ticket)
}
