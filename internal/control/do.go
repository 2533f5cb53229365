package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// promptly is how long a request may take whose client does not wait: long enough to tell a refusal.
const promptly = 200 * time.Millisecond

// do passes on what a POST asks for.
func (a *api) do(w http.ResponseWriter, r *http.Request, what request) {
	body, err := readBody(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = what.check(body)
	}
	req := supervisor.Request{
		Verb: what.verb, Pool: body.Pool, Workers: body.Workers, Delta: body.Delta, Abort: body.Abort, Slot: body.Slot, Force: body.Force, Program: body.Program,
		Fleet: body.Fleet, Reason: body.Reason,
	}
	if err == nil && what.signal {
		req.Signal, err = parseSignal(body.Signal)
	}
	switch {
	case isTooLarge(err):
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestEntityTooLarge, CodeTooLarge, fmt.Sprintf("the body has more than %d bytes", maxBody))
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, CodeBadRequest, err.Error())
		return
	}
	who := callerIn(r.Context())
	req.UID, req.PID, req.From = who.uid, who.pid, who.from
	if what.isBrief {
		ctx, cancel := context.WithTimeout(r.Context(), max(seconds(body.Wait), promptly))
		defer cancel()
		a.doBriefly(ctx, w, a.brief.of(who), req, body)
		return
	}
	over := a.streams.over()
	op := newUnder(body, req)
	switch err := a.ops.begin(op, req); {
	case errors.Is(err, errTooMany):
		refuse(w, http.StatusTooManyRequests, CodeTooMany, err.Error())
	case err != nil:
		a.tell(w, supervisor.Verdict{Err: err}, "")
	default:
		switch err := await(r.Context(), op, seconds(body.Wait), over); {
		case err == nil:
			a.tell(w, op.verdict, a.ops.of(op).ID)
		case body.Wait > 0 && errors.Is(err, context.DeadlineExceeded):
			a.tellLate(w, req, a.ops.of(op).ID)
		default:
			a.tellOn(w, req, a.ops.of(op).ID)
		}
	}
}

// errOver ends the waiting of a client that can ask again.
var errOver = errors.New("the server pauses")

// await waits for the answer to an operation, as long as its client wants to, or until over is closed. Whatever happens, it
// waits promptly: who asks for nonsense hears of it.
func await(ctx context.Context, op *under, wait time.Duration, over <-chan struct{}) error {
	prompt, patience := time.NewTimer(promptly), time.NewTimer(max(wait, promptly))
	defer prompt.Stop()
	defer patience.Stop()
	select {
	case <-op.answered:
		return nil
	case <-patience.C:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return errOver
	case <-over:
	}
	select {
	case <-op.answered:
		return nil
	case <-prompt.C:
	case <-ctx.Done():
	}
	return errOver
}

// doBriefly does what nobody needs an operation for. A few at a time: each reads files.
func (a *api) doBriefly(ctx context.Context, w http.ResponseWriter, place chan struct{}, req supervisor.Request, body Body) {
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
	case <-ctx.Done():
		refuse(w, http.StatusTooManyRequests, CodeTooMany, fmt.Sprintf("cannot %s: too many ask for it at once", req.Verb))
		return
	}
	switch v := a.sup.Do(ctx, req); {
	case ctx.Err() == nil || !errors.Is(v.Err, ctx.Err()):
		a.tell(w, v, "")
	case body.Wait == 0:
		a.tellOn(w, req, "")
	default:
		a.tellLate(w, req, "")
	}
}

// tell answers with the verdict.
func (a *api) tell(w http.ResponseWriter, v supervisor.Verdict, op string) {
	if v.Err == nil {
		answer(w, http.StatusOK, Result{Text: v.Text, Plan: v.Data, Operation: op})
		return
	}
	status, code := verdictOf(v.Err)
	fail(w, status, Failure{
		Error: v.Err.Error(), Code: code, Hint: hintOf(v.Err), Lines: v.Lines, Text: v.Text, Operation: op,
	})
}

// tellOn answers without a verdict: it goes on.
func (a *api) tellOn(w http.ResponseWriter, req supervisor.Request, op string) {
	answer(w, http.StatusAccepted, Result{Accepted: true, Text: string(req.Verb) + " goes on", Operation: op})
}

// tellLate answers who has waited as long as he wanted to: it goes on.
func (a *api) tellLate(w http.ResponseWriter, req supervisor.Request, op string) {
	fail(w, http.StatusGatewayTimeout, Failure{
		Error: fmt.Sprintf("cannot wait for the end of %s: %v", req.Verb, context.DeadlineExceeded), Code: CodeTimeout, Accepted: true, Operation: op,
	})
}

func isTooLarge(err error) bool {
	_, is := errors.AsType[*http.MaxBytesError](err)
	return is
}

// readBody reads a request body. Nothing at all is an empty Body.
func readBody(r io.Reader) (Body, error) {
	var body Body
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		if errors.Is(err, io.EOF) {
			return Body{}, nil
		}
		return Body{}, fmt.Errorf("cannot read request body: %w", err)
	}
	if err := dec.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		if isTooLarge(err) {
			return Body{}, err
		}
		return Body{}, errors.New("cannot read request body: more than one value")
	}
	if err := checkWait(body.Wait); err != nil {
		return Body{}, err
	}
	return body, nil
}

func checkWait(wait float64) error {
	if wait < 0 || wait > maxWait.Seconds() || math.IsNaN(wait) {
		return fmt.Errorf("cannot wait %v seconds: wait_seconds is from 0 to %v", wait, maxWait.Seconds())
	}
	return nil
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
