package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Operation asks how something stands that was asked for, and waits up to wait for its end, also while another version of
// brood takes over. An error that wraps ErrRefused means that it is not known any more.
func (c *Client) Operation(ctx context.Context, id string, wait time.Duration) (Operation, error) {
	until, patience := time.Now().Add(min(wait, maxWait)), time.Now().Add(againTime)
	for {
		asked := time.Now()
		op, err := c.operation(ctx, id, until.Sub(asked))
		switch {
		case err == nil && (op.State != OperationRunning || !time.Now().Before(until)):
			return op, nil
		case err == nil: // the server ends, or pauses
			patience = time.Now().Add(againTime)
		case !isAway(err) || time.Now().After(patience):
			return op, err
		}
		if err := c.pause(ctx, againPause-time.Since(asked)); err != nil {
			return op, err
		}
	}
}

// operation asks once.
func (c *Client) operation(ctx context.Context, id string, wait time.Duration) (Operation, error) {
	path := PathOperations + "/" + url.PathEscape(id) + "?wait_seconds=" + strconv.FormatFloat(max(wait, 0).Seconds(), 'f', -1, 64)
	resp, err := c.open(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return Operation{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return Operation{}, refusal(resp)
	}
	var op Operation
	if err := json.NewDecoder(resp.Body).Decode(&op); err != nil {
		return op, fmt.Errorf("cannot read the answer of %s (%s): %w", c.path, resp.Status, err)
	}
	return op, nil
}

// finish waits for the end of what a server could not wait for, and answers as that would have.
func (c *Client) finish(ctx context.Context, verb supervisor.Verb, id string, wait time.Duration) (Result, error) {
	accepted := time.Now()
	op, err := c.Operation(ctx, id, wait)
	result := Result{Text: op.Text, Error: op.Error, Code: op.Code, Hint: op.Hint, Lines: op.Lines, Operation: id}
	switch {
	case err != nil:
		return Result{Operation: id}, err
	case op.Started.After(accepted): // and another operation has the id
		return Result{}, fmt.Errorf("%w on %s: it has ended before %s did, and another one is there", ErrNoAnswer, c.path, verb)
	case op.State == OperationRunning:
		result.Accepted, result.Code = true, CodeTimeout
		result.Error = fmt.Sprintf("cannot wait for the end of %s: %v", verb, context.DeadlineExceeded)
	}
	return result, result.refusal()
}
