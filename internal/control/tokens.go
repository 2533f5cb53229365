package control

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Tokens are the files with the secrets of those who come over TCP. They are read at each request, so that another token
// counts as soon as it is there.
type Tokens struct {
	Write string      // path of the file whose token may ask for everything
	Read  string      // of the one whose token may look; "" if there is none
	Log   func(error) // hears why a file cannot be used; may be nil
}

const (
	// leastToken is the least length of a token: 16 random letters and digits have 95 bits.
	leastToken = 16
	mostToken  = 4096
)

// ErrToken is in the chain of errors about the content and the mode of a token's file.
var ErrToken = errors.New("bad token file")

// Check reads the files as a request would.
func (t Tokens) Check() error {
	write, err := readToken(t.Write)
	if err != nil {
		return err
	}
	if t.Read == "" {
		return nil
	}
	read, err := readToken(t.Read)
	if err != nil {
		return err
	}
	if bytes.Equal(write, read) {
		return fmt.Errorf("%w: %s and %s have the same token", ErrToken, t.Write, t.Read)
	}
	return nil
}

// may says what a token allows. All files are compared, whatever is found first, in a time that tells nothing.
func (t Tokens) may(token string) (permission, error) {
	write, err := readToken(t.Write)
	if err != nil {
		t.say(err)
		return mayNothing, err
	}
	var read []byte
	if t.Read != "" {
		if read, err = readToken(t.Read); err != nil {
			t.say(err)
			return mayNothing, err
		}
	}
	isWrite, isRead := sameToken(write, token), read != nil && sameToken(read, token)
	switch {
	case isWrite:
		return mayWrite, nil
	case isRead:
		return mayRead, nil
	}
	return mayNothing, nil
}

func (t Tokens) say(err error) {
	if t.Log != nil {
		t.Log(err)
	}
}

// sameToken compares digests, whose length tells nothing of the token's.
func sameToken(want []byte, got string) bool {
	a, b := sha256.Sum256(want), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// readToken reads a token, which is the only line of its file. Nobody but the owner and the group may be able to read it.
// No error quotes it.
func readToken(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a named pipe would wait for its writer
	if err != nil {
		return nil, fmt.Errorf("cannot read token: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read token: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is no regular file", ErrToken, path)
	case info.Mode().Perm()&0o007 != 0:
		return nil, fmt.Errorf("%w: everybody may open %s (mode %#o): chmod 0600 it, and make a new token", ErrToken, path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, mostToken+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read token: %w", err)
	}
	text = bytes.TrimRight(text, "\r\n")
	switch {
	case len(text) < leastToken:
		return nil, fmt.Errorf("%w: the token in %s has %d characters, fewer than %d", ErrToken, path, len(text), leastToken)
	case len(text) > mostToken:
		return nil, fmt.Errorf("%w: the token in %s has more than %d characters", ErrToken, path, mostToken)
	case bytes.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("%w: the token in %s has other characters than printable ASCII, or a space", ErrToken, path)
	}
	return text, nil
}
