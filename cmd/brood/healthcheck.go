package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/web"
)

// checkTime is how long a health check takes at most: the HEALTHCHECK of an image has 30 seconds, a probe of Kubernetes
// one, and who checks by hand does not like to wait.
const checkTime = 3 * time.Second

func healthcheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "healthcheck",
		Usage: "exit with 0 if the supervisor serves, else with 1: for HEALTHCHECK of a container image",
		Description: "It serves if every slot has been ready once, and each pool has a ready worker. That is what /readyz says.\n" +
			"HEALTHCHECK CMD [\"brood\", \"healthcheck\"]",
		Flags: targetFlags(
			stringFlag("url", "", "ask `URL` in place of the control socket: it is well if the answer has a status from 200 to 399"),
			durationFlag("timeout", checkTime, "how long the check may take"), outputFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			format, err := outputFormat(c)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
			defer cancel()
			c.Context = ctx
			words, err := healthcheck(c)
			if err != nil {
				return unhealthy(err)
			}
			if format == formatJSON {
				return printJSON(c.App.Writer, healthy{Healthy: true, Text: words})
			}
			_, err = fmt.Fprintln(c.App.Writer, harmless(words))
			return err
		},
	}
}

// healthy is what brood healthcheck prints for programs if all is well; else it is an error.
type healthy struct {
	Healthy bool   `json:"healthy"`
	Text    string `json:"text"`
}

// unhealthy makes every failure one that container runtimes understand: 0 and 1 are all that they know.
func unhealthy(err error) error {
	if user, ok := errors.AsType[*userError](err); ok && user.code == exitUsage {
		return err
	}
	return &userError{code: exitFailed, err: err}
}

var errUnhealthy = errors.New("it does not serve")

func healthcheck(c *cli.Context) (string, error) {
	if address := c.String("url"); address != "" {
		return askURL(c.Context, address)
	}
	client, err := target(c)
	if err != nil {
		return "", err
	}
	snap, err := client.Status(c.Context)
	if err != nil {
		return "", err
	}
	words := strings.ReplaceAll(snap.Name+": "+snap.State+", "+snap.Summary(), "\n", "; ")
	if web.Judge(&snap).Status == web.Unavailable {
		return "", fmt.Errorf("%w: %s", errUnhealthy, words)
	}
	return words, nil
}

// maxAnswer is how much of an answer is shown: docker keeps 4096 bytes.
const maxAnswer = 4096

// askURL asks for a page over TCP, or of unix:/PATH:/PAGE.
func askURL(ctx context.Context, address string) (string, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if path, page, ok := cutUnix(address); ok {
		client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}
		address = "http://brood" + page
	}
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return "", usage("http://127.0.0.1:9180/readyz, or unix:/run/x.sock:/readyz", "cannot read URL %q", address)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", "brood-healthcheck")
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("cannot ask: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // for people: the status says it all
	words := strings.TrimSpace(string(body))
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusBadRequest {
		return "", fmt.Errorf("%w: %s: %s", errUnhealthy, resp.Status, strings.ReplaceAll(words, "\n", "; "))
	}
	return words, nil
}

// cutUnix reads unix:PATH:/PAGE.
func cutUnix(address string) (path, page string, ok bool) {
	rest, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", "", false
	}
	at := strings.LastIndex(rest, ":/")
	if at < 0 {
		return "", "", false
	}
	return rest[:at], rest[at+1:], true
}
