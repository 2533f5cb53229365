package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Operation asks how something stands that was asked for, and waits up to wait for its end. An error that wraps ErrRefused
// means that it is not known any more.
func (c *Client) Operation(ctx context.Context, id string, wait time.Duration) (Operation, error) {
	path := PathOperations + "/" + url.PathEscape(id) + "?wait_seconds=" + strconv.FormatFloat(min(wait, maxWait).Seconds(), 'f', -1, 64)
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
