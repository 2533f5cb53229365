package control

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// shortTime is how long requests may take to be read in these tests.
const shortTime = time.Second

// impatient is a server that gives requests little time to be read.
func impatient(t *testing.T, sup Supervisor) *Client {
	t.Helper()
	socket, err := Listen(t.TempDir()+"/s", Access{})
	if err != nil {
		t.Fatal(err)
	}
	server := Serve(socket, sup, Options{Logs: newDiary(), readTime: shortTime})
	t.Cleanup(socket.Remove)
	t.Cleanup(server.Close)
	return NewClient(socket.path)
}

// Who does not come to the end of a request is cut, and who waits for the answer to one is not, though that takes as long.
func TestTimeIsForRequestsAndNotForAnswers(t *testing.T) {
	s := newSlow()
	s.feed = events.NewFeed()
	client := impatient(t, s)
	cut := make(chan error, 1)
	conn, err := client.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /v1/roll HTTP/1.1\r\nHost: brood\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	rolled := make(chan error, 1)
	go func() { // it asks earlier than the others are cut
		result, err := client.Do(t.Context(), supervisor.Roll, Body{}, time.Minute)
		if err == nil && result.Text != "done" {
			err = fmt.Errorf("%q", result.Text)
		}
		rolled <- err
	}()
	streams := openStreams(t, client)
	go func() { cut <- hungUp(conn) }()
	if err := <-cut; err != nil {
		t.Errorf("a request without an end: %v", err)
	}
	<-time.After(2 * shortTime)
	select {
	case err := <-rolled:
		t.Fatalf("who waits for a rollout: %v", err)
	default:
	}
	for path, ended := range streams {
		select {
		case <-ended:
			t.Errorf("%s was cut", path)
		default:
		}
	}
	s.verdicts <- supervisor.Verdict{Text: "done"}
	if err := <-rolled; err != nil {
		t.Error(err)
	}
}

// hungUp waits until the server closes a connection.
func hungUp(conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	return err
}

// openStreams begins all answers that go on. The channels are closed when they end.
func openStreams(t *testing.T, client *Client) map[string]chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	t.Cleanup(reading.Wait)
	t.Cleanup(cancel)
	all := map[string]chan struct{}{}
	for _, path := range []string{PathWatch, PathEvents, PathLogs + "?follow=true"} {
		resp, err := client.open(ctx, http.MethodGet, path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		lines, ended := bufio.NewScanner(resp.Body), make(chan struct{})
		if !lines.Scan() || strings.TrimSpace(lines.Text()) == "" {
			t.Fatalf("%s: %q, %v", path, lines.Text(), lines.Err())
		}
		all[path] = ended
		reading.Go(func() {
			defer close(ended)
			defer resp.Body.Close()
			for lines.Scan() {
				continue
			}
		})
	}
	return all
}
