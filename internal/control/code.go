package control

import (
	"context"
	"errors"
	"net/http"

	"github.com/broodctl/brood/supervisor"
)

// Code says for programs why a request was refused, or how it failed. Codes are never renamed; further ones may come.
type Code string

// The codes, in the order of their status.
const (
	CodeBadRequest   Code = "bad_request"        // 400: the body, the query or the path makes no sense
	CodeUnauthorized Code = "unauthorized"       // 401: no token, or none that is known
	CodeForbidden    Code = "forbidden"          // 403: this user may not ask
	CodeReadOnly     Code = "read_only"          // 403: this user, or this token, may only look
	CodeNotFound     Code = "not_found"          // 404: there is no such path
	CodeNoPool       Code = "no_pool"            // 404
	CodeNoSlot       Code = "no_slot"            // 404
	CodeNoFleet      Code = "no_fleet"           // 404
	CodeNoOperation  Code = "no_operation"       // 404: or it is too long ago
	CodeMethod       Code = "method_not_allowed" // 405
	CodeFailed       Code = "failed"             // 409: it did not work; the text says why
	CodeRollout      Code = "rollout_failed"     // 409: the previous generation serves on
	CodeReload       Code = "reload_failed"      // 409: the previous configuration holds
	CodeUpgrade      Code = "upgrade_refused"    // 409: the version that was asked goes on
	CodeAborted      Code = "aborted"            // 409: by request
	CodeNotRelayed   Code = "not_relayed"        // 409: the worker would die of the signal
	CodeNotStarted   Code = "not_started"        // 409: the pool waits for its turn
	CodeNothing      Code = "nothing_under_way"  // 409: nothing to abort
	CodeNoFile       Code = "no_file"            // 409: it runs from flags
	CodeOvertaken    Code = "overtaken"          // 409: somebody wanted something else meanwhile
	CodeTooLarge     Code = "too_large"          // 413: the body
	CodeCannotScale  Code = "cannot_scale"       // 422
	CodeTooMany      Code = "too_many"           // 429: operations, or connections, at once
	CodeInternal     Code = "internal"           // 500
	CodeStopping     Code = "stopping"           // 503: the supervisor is
	CodeUpgrading    Code = "upgrading"          // 503: another version takes over right now; ask again
	CodeTimeout      Code = "timeout"            // 504: it goes on
)

// hintOf is what may help against an error; "" where nobody knows. Errors of listeners have one.
func hintOf(err error) string {
	if errors.Is(err, supervisor.ErrRelay) {
		return "see docs/signals.md: a relayed signal never kills"
	}
	if known, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return known.Hint()
	}
	return ""
}

// verdictOf is what the supervisor's errors are to a client. The first that fits counts.
func verdictOf(err error) (int, Code) {
	for _, known := range []struct {
		err    error
		status int
		code   Code
	}{
		{supervisor.ErrNoPool, http.StatusNotFound, CodeNoPool},
		{supervisor.ErrNoSlot, http.StatusNotFound, CodeNoSlot},
		{supervisor.ErrNoFleet, http.StatusNotFound, CodeNoFleet},
		{supervisor.ErrUpgrade, http.StatusConflict, CodeUpgrade},
		{supervisor.ErrStopped, http.StatusServiceUnavailable, CodeStopping},
		{supervisor.ErrScale, http.StatusUnprocessableEntity, CodeCannotScale},
		{supervisor.ErrAborted, http.StatusConflict, CodeAborted},
		{supervisor.ErrRollout, http.StatusConflict, CodeRollout},
		{supervisor.ErrReload, http.StatusConflict, CodeReload},
		{supervisor.ErrRelay, http.StatusConflict, CodeNotRelayed},
		{supervisor.ErrNotStarted, http.StatusConflict, CodeNotStarted},
		{supervisor.ErrNothing, http.StatusConflict, CodeNothing},
		{supervisor.ErrNoFile, http.StatusConflict, CodeNoFile},
		{errOvertaken, http.StatusConflict, CodeOvertaken},
		{errHeld, http.StatusServiceUnavailable, CodeUpgrading},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, CodeTimeout},
		{context.Canceled, http.StatusServiceUnavailable, CodeStopping},
	} {
		if errors.Is(err, known.err) {
			return known.status, known.code
		}
	}
	return http.StatusConflict, CodeFailed
}
