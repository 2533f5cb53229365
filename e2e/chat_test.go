//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// question is what is posted for a chat completion: a number of words, the seconds
// between two, and whether each is sent as soon as it is there.
type question struct {
	words  int
	pause  float64
	stream bool
}

// chat is a load of chat completions. Each is posted, which no proxy may repeat, and its
// answer has to be whole.
type chat struct {
	t      *testing.T
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	counts map[string]int // by what became of them, "" if all is well
	pids   map[string]int // by who answered
}

// startChat begins one of several clients, which ends with the test. Kept connections
// are kept.
func startChat(t *testing.T, address string, clients int, q question, kept bool) *chat {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &chat{t: t, cancel: cancel, counts: map[string]int{}, pids: map[string]int{}}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: !kept, MaxIdleConnsPerHost: clients}, Timeout: patience}
	for range clients {
		c.done.Go(func() { c.run(ctx, client, address, q) })
	}
	t.Cleanup(func() { c.stop(); client.CloseIdleConnections() })
	return c
}

func (c *chat) run(ctx context.Context, client *http.Client, address string, q question) {
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		pid, _, err := completion(client, address, q)
		c.mu.Lock()
		if err != nil {
			c.counts[cause(err)]++
		} else {
			c.counts[""]++
			c.pids[pid]++
		}
		c.mu.Unlock()
	}
}

// completion asks for one completion, and gives who answered and how many words came.
func completion(client *http.Client, address string, q question) (pid string, words int, err error) {
	body := fmt.Sprintf(`{"stream": %t, "max_tokens": %d, "pause": %g}`, q.stream, q.words, q.pause)
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/resource_server/sophia/vllm/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("X-Request-ID", rand.Text())
	response, err := client.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	pid = strings.TrimPrefix(response.Header.Get("X-Worker"), "pid=")
	switch words = strings.Count(string(text), `"content"`); {
	case err != nil:
		return pid, words, err
	case response.StatusCode != http.StatusOK:
		return pid, words, errors.New(response.Status)
	case words != q.words || q.stream && !strings.HasSuffix(string(text), "data: [DONE]\n\n"):
		return pid, words, fmt.Errorf("%d words of %d: %w", words, q.words, io.ErrUnexpectedEOF)
	}
	return pid, words, nil
}

// cause is an error without its addresses.
func cause(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

// workers is how many have answered.
func (c *chat) workers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pids)
}

// stop ends the load after the answers that are under way, and says how many there were
// and what became of those that failed.
func (c *chat) stop() (ok, failed int, failures map[string]int) {
	c.cancel()
	c.done.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	failures = maps.Clone(c.counts)
	delete(failures, "")
	for _, n := range failures {
		failed += n
	}
	return c.counts[""], failed, failures
}

// flawless stops it, and demands that none failed.
func (c *chat) flawless() (ok int) {
	c.t.Helper()
	ok, failed, failures := c.stop()
	if failed != 0 || ok == 0 {
		c.t.Errorf("%d were answered, %d failed: %v", ok, failed, failures)
	}
	return ok
}
