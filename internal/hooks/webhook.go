package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Webhook is a web service that is told by POST.
type Webhook struct {
	URL     string
	Headers map[string]string
	// TokenFile has what follows "Authorization: Bearer". It is read for each attempt, so that it may be renewed.
	TokenFile string
	UserAgent string
	Client    *http.Client
}

// NewClient returns a client for webhooks: it follows nobody, because a redirection of a POST is a mistake somewhere.
func NewClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answerLimit is how much of an answer is read, to say what was wrong and to use the connection again.
const answerLimit = 4 << 10

// Deliver posts the message as JSON. Any 2xx is a success. What the service cannot like any better another time, which
// are the other 3xx and 4xx but 408, 425 and 429, is not tried again.
func (w *Webhook) Deliver(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("cannot write event: %w: %w", ErrRefused, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("cannot make request: %w: %w", ErrRefused, err)
	}
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		req.Header.Set(name, w.Headers[name])
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", w.UserAgent)
	req.Header.Set("Brood-Event", string(m.Kind))
	req.Header.Set("Idempotency-Key", m.Key)
	if w.TokenFile != "" {
		token, err := os.ReadFile(w.TokenFile)
		if err != nil {
			return fmt.Errorf("cannot read token: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := w.Client.Do(req)
	if err != nil {
		if whole, ok := errors.AsType[*url.Error](err); ok {
			err = whole.Err // the URL of a webhook is often a secret
		}
		return fmt.Errorf("cannot ask %s: %w", req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	return judge(resp, answer)
}

func judge(resp *http.Response, answer []byte) error {
	if resp.StatusCode/100 == 2 {
		return nil
	}
	err := errors.New(resp.Status)
	if line, _, _ := strings.Cut(strings.TrimSpace(string(answer)), "\n"); line != "" {
		err = fmt.Errorf("%s: %.200q", resp.Status, line)
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		if after := retryAfter(resp.Header.Get("Retry-After"), time.Now()); after > 0 {
			return &RetryError{After: after, Err: err}
		}
		return err
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return err
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// longestRetry bounds what a service may ask for.
const longestRetry = time.Hour

// retryAfter reads the header of that name: seconds, or a date. 0 is nothing that can be used.
func retryAfter(word string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(word, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longestRetry)
	}
	if at, err := http.ParseTime(word); err == nil {
		return min(max(at.Sub(now), 0), longestRetry)
	}
	return 0
}
