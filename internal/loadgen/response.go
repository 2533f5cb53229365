package loadgen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxLine = 16 << 10 // bytes of one header line
	maxHead = 200      // header lines
	maxBody = 16 << 20 // bytes of a body
)

var errMalformed = errors.New("malformed response")

// response is what the load needs to know of a complete response.
type response struct {
	status int
	worker Worker
	closes bool // the server will not serve another request on this connection
}

// readResponse reads one response to a GET (RFC 9112) to its last byte. An error
// that wraps io.EOF or io.ErrUnexpectedEOF means that it ended early.
func readResponse(r *bufio.Reader) (response, error) {
	for {
		resp, head, err := readHead(r)
		if err != nil {
			return resp, err
		}
		if resp.status >= 100 && resp.status < 200 {
			continue // interim: the real one follows
		}
		body, err := readBody(r, resp.status, head, &resp)
		if err != nil {
			return resp, err
		}
		resp.worker = who(head["x-worker"], body)
		return resp, nil
	}
}

func readHead(r *bufio.Reader) (response, map[string]string, error) {
	var resp response
	line, err := readLine(r)
	if err != nil {
		return resp, nil, err
	}
	proto, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	resp.status, err = strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(proto, "HTTP/1.") || resp.status < 100 || resp.status > 999 {
		return resp, nil, fmt.Errorf("%w: status line %q", errMalformed, line)
	}
	head := make(map[string]string, 8)
	for range maxHead {
		line, err := readLine(r)
		if err != nil {
			return resp, nil, err
		}
		if line == "" {
			resp.closes = proto == "HTTP/1.0" || strings.EqualFold(head["connection"], "close")
			return resp, head, nil
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			return resp, nil, fmt.Errorf("%w: header %q", errMalformed, line)
		}
		head[strings.ToLower(name)] = strings.TrimSpace(value)
	}
	return resp, nil, fmt.Errorf("%w: more than %d headers", errMalformed, maxHead)
}

func readBody(r *bufio.Reader, status int, head map[string]string, resp *response) ([]byte, error) {
	if status == 204 || status == 304 {
		return nil, nil
	}
	if strings.EqualFold(head["transfer-encoding"], "chunked") {
		return readChunks(r)
	}
	length, told := head["content-length"]
	if !told {
		// Only the end of the connection delimits it (RFC 9112, section 6.3).
		resp.closes = true
		return io.ReadAll(io.LimitReader(r, maxBody))
	}
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > maxBody {
		return nil, fmt.Errorf("%w: content length %q", errMalformed, length)
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	return body, err
}

func readChunks(r *bufio.Reader) ([]byte, error) {
	var body []byte
	for {
		line, err := readLine(r)
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil || len(body)+int(n) > maxBody {
			return nil, fmt.Errorf("%w: chunk size %q", errMalformed, line)
		}
		if n == 0 {
			return body, readTrailer(r)
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		body = append(body, chunk...)
		if line, err = readLine(r); err != nil {
			return nil, err
		}
		if line != "" {
			return nil, fmt.Errorf("%w: chunk overruns its size", errMalformed)
		}
	}
}

func readTrailer(r *bufio.Reader) error {
	for range maxHead {
		line, err := readLine(r)
		if err != nil || line == "" {
			return err
		}
	}
	return fmt.Errorf("%w: endless trailer", errMalformed)
}

// readLine reads up to CRLF or LF, which it leaves out.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine {
		return "", fmt.Errorf("%w: line longer than %d bytes", errMalformed, maxLine)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}
