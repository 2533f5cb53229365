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
		Verb: what.verb, Pool: body.Pool, Workers: body.Workers, Delta: body.Delta, Abort: body.Abort, Slot: body.Slot, Force: body.Force,
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
	ctx, cancel := context.WithTimeout(r.Context(), max(seconds(body.Wait), promptly))
	defer cancel()
	if what.isBrief {
		a.doBriefly(ctx, w, a.brief.of(who), req, body)
		return
	}
	op := newUnder(body, req)
	if err := a.ops.begin(op, req); errors.Is(err, errTooMany) {
		refuse(w, http.StatusTooManyRequests, CodeTooMany, err.Error())
		return
	} else if err != nil {
		a.tell(w, supervisor.Verdict{Err: err}, "")
		return
	}
	select {
	case <-op.answered:
		a.tell(w, op.verdict, a.ops.of(op).ID)
	case <-ctx.Done():
		a.tellOn(w, req, body, a.ops.of(op).ID)
	}
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
	if v := a.sup.Do(ctx, req); ctx.Err() != nil && errors.Is(v.Err, ctx.Err()) {
		a.tellOn(w, req, body, "")
	} else {
		a.tell(w, v, "")
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
func (a *api) tellOn(w http.ResponseWriter, req supervisor.Request, body Body, op string) {
	if body.Wait == 0 {
		answer(w, http.StatusAccepted, Result{Accepted: true, Text: string(req.Verb) + " goes on", Operation: op})
		return
	}
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
