package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// healthPath is the method of https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
const healthPath = "/grpc.health.v1.Health/Check"

// Codes of https://grpc.io/docs/guides/status-codes that a health service answers with.
const (
	grpcOK            = "0"
	grpcNotFound      = "5"
	grpcUnimplemented = "12"
)

var (
	errNoStatus = errors.New("answer without a status of gRPC")
	errNoHealth = errors.New("the worker has no health service of gRPC (grpc.health.v1)")
)

// checkHealth makes one call of the health service, unencrypted, as in Kubernetes.
func (c Config) checkHealth(ctx context.Context, w World) error {
	conn, err := c.dial(ctx, w)
	if err != nil {
		return err
	}
	defer conn.Close()
	transport := transportOver(conn)
	defer transport.CloseIdleConnections()
	host := c.Host
	if host == "" {
		host = hostOf(conn)
	}
	resp, err := transport.RoundTrip(healthRequest(ctx, host, c.Service))
	if err != nil {
		return fmt.Errorf("no answer in gRPC: %w", cause(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d instead of an answer in gRPC", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody)) // trailers are there only after the body
	if err != nil {
		return fmt.Errorf("answer in gRPC broke off: %w", cause(err))
	}
	status, message := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" { // an error without a body has it in the header
		status, message = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	if status != grpcOK {
		return callError(c.Service, status, message)
	}
	serving, err := parseHealth(body)
	if err != nil {
		return err
	}
	if serving != statusServing {
		return fmt.Errorf("%s is %s", serviceName(c.Service), serving)
	}
	return nil
}

// transportOver speaks HTTP/2 without TLS on one connection, which there must be already: a transport that dials by
// itself would go on dialling after the context has ended. What it runs ends when the connection is closed.
func transportOver(conn net.Conn) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	handed := false
	return &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			if handed { // the transport repeats a request when the server closed the connection before
				return nil, errClosed
			}
			handed = true
			return conn, nil
		},
		Protocols:              protocols,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
}

func healthRequest(ctx context.Context, host, service string) *http.Request {
	message := healthMessage(service)
	req := &http.Request{
		Method: http.MethodPost,
		URL:    &url.URL{Scheme: "http", Host: host, Path: healthPath},
		Host:   host,
		Header: http.Header{
			"Content-Type": {"application/grpc"},
			"Te":           {"trailers"},
			"User-Agent":   {userAgent},
		},
		Body:          io.NopCloser(bytes.NewReader(message)),
		ContentLength: int64(len(message)),
	}
	return req.WithContext(ctx)
}

func callError(service, status, message string) error {
	switch status {
	case "":
		return errNoStatus
	case grpcNotFound:
		return fmt.Errorf("%s is unknown to the worker", serviceName(service))
	case grpcUnimplemented:
		return errNoHealth
	}
	if text, err := url.PathUnescape(message); err == nil {
		message = text
	}
	return fmt.Errorf("health call ended with gRPC status %s: %q", excerpt(status), excerpt(message))
}

func serviceName(service string) string {
	if service == "" {
		return "server"
	}
	return "service " + strconv.Quote(service)
}
