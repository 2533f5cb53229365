package control

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/door"
)

const (
	writeToken = "may-ask-for-everything"
	readToken1 = "may-look-and-no-more"
)

// remote is a server with a TCP address besides, and its tokens.
func remote(t *testing.T) (address string, tokens Tokens, f *house) {
	t.Helper()
	dir := t.TempDir()
	tokens = Tokens{Write: filepath.Join(dir, "write"), Read: filepath.Join(dir, "read")}
	putToken(t, tokens.Write, writeToken+"\n", 0o600)
	putToken(t, tokens.Read, readToken1, 0o640)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f = newHouse()
	server, _ := serve(t, f)
	d, err := door.New(l)
	if err != nil {
		t.Fatal(err)
	}
	server.ServeTCP(d, tokens)
	t.Cleanup(server.Close)
	return l.Addr().String(), tokens, f
}

func putToken(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, method, address, path, authorization string, want int) Failure {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return read[Failure](t, method+" "+path+" "+authorization, resp, want)
}

func TestTokens(t *testing.T) {
	address, _, f := remote(t)
	for _, tt := range []struct {
		method, path, authorization string
		status                      int
		code                        Code
	}{
		{"GET", PathStatus, "", 401, CodeUnauthorized},
		{"GET", PathStatus, "Bearer", 401, CodeUnauthorized},
		{"GET", PathStatus, "Bearer ", 401, CodeUnauthorized},
		{"GET", PathStatus, "Bearer wrong-wrong-wrong", 401, CodeUnauthorized},
		{"GET", PathStatus, "Bearer " + writeToken + "x", 401, CodeUnauthorized},
		{"GET", PathStatus, "Bearer " + writeToken[1:], 401, CodeUnauthorized},
		{"GET", PathStatus, "Basic " + writeToken, 401, CodeUnauthorized},
		{"GET", "/v1/nosuch", "", 401, CodeUnauthorized},
		{"GET", PathStatus, "Bearer " + readToken1, 200, ""},
		{"POST", "/v1/plan", "Bearer " + readToken1, 200, ""},
		{"POST", "/v1/roll", "Bearer " + readToken1, 403, CodeReadOnly},
		{"GET", PathStatus, "Bearer " + writeToken, 200, ""},
		{"POST", "/v1/roll", "Bearer " + writeToken, 200, ""},
	} {
		if got := ask(t, tt.method, address, tt.path, tt.authorization, tt.status); got.Code != tt.code {
			t.Errorf("%s %s %s: %+v", tt.method, tt.path, tt.authorization, got)
		}
	}
	if last := f.asked[len(f.asked)-1]; len(f.asked) != 2 || !strings.HasPrefix(last.From, "127.0.0.1:") || last.PID != 0 || last.UID != nobody {
		t.Errorf("asked: %+v", f.asked)
	}
}

// Strangers who connect and say nothing do not keep those out who have a token, nor cut them off.
func TestStrangersMakeRoom(t *testing.T) {
	address, _, _ := remote(t)
	dial := func(text string) net.Conn {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			_, err = io.WriteString(conn, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	friend := dial("GET " + PathEvents + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + readToken1 + "\r\n\r\n")
	if line, err := bufio.NewReader(friend).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatal(line, err)
	}
	first := dial("")
	for range 2 * mostOfOne {
		dial("GET /v1/status HTTP/1.1\r\nHos")
	}
	if got := ask(t, "GET", address, PathStatus, "Bearer "+readToken1, 200); got.Error != "" {
		t.Errorf("%+v", got)
	}
	if err := hungUp(first); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the first one that said nothing: %v", err)
	}
	_ = friend.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := io.Copy(io.Discard, friend); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who has a token: %v", err)
	}
}

func TestTokensAreReadAtEachRequest(t *testing.T) {
	address, tokens, _ := remote(t)
	putToken(t, tokens.Write, "another-token-for-all", 0o600)
	ask(t, "GET", address, PathStatus, "Bearer "+writeToken, 401)
	ask(t, "GET", address, PathStatus, "Bearer another-token-for-all", 200)
	putToken(t, tokens.Write, "another-token-for-all", 0o644) // nobody is let in by a token that everybody may know
	if got := ask(t, "GET", address, PathStatus, "Bearer another-token-for-all", 500); got.Code != CodeInternal {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(tokens.Write); err != nil {
		t.Fatal(err)
	}
	ask(t, "GET", address, PathStatus, "Bearer "+readToken1, 500)
}

func TestTokenFiles(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	putToken(t, good, strings.Repeat("x", leastToken)+"\r\n", 0o400)
	if err := (Tokens{Write: good}).Check(); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"open to all":    {writeToken, 0o604},
		"writable":       {writeToken, 0o602},
		"short":          {"secret\n", 0o600},
		"empty":          {"", 0o600},
		"two lines":      {writeToken + "\n" + writeToken, 0o600},
		"a space":        {writeToken + " " + writeToken, 0o600},
		"another script": {"geheimnis-für-alle-leute", 0o600},
		"endless":        {strings.Repeat("x", mostToken+1), 0o600},
	} {
		path := filepath.Join(dir, "bad")
		putToken(t, path, tt.text, tt.mode)
		for _, tokens := range []Tokens{{Write: path}, {Write: good, Read: path}} {
			if err := tokens.Check(); !errors.Is(err, ErrToken) || tt.text != "" && strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := (Tokens{Write: filepath.Join(dir, "none")}).Check(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := (Tokens{Write: dir}).Check(); !errors.Is(err, ErrToken) {
		t.Errorf("%v", err)
	}
	if err := (Tokens{Write: good, Read: good}).Check(); !errors.Is(err, ErrToken) {
		t.Errorf("the same: %v", err)
	}
}

func TestGrants(t *testing.T) {
	lookup := func(name string, isGroup bool) (int, error) {
		if name == "ops" && isGroup {
			return 77, nil
		}
		if name == "ann" && !isGroup {
			return 5, nil
		}
		return 0, errors.New("unknown")
	}
	g, err := ParseGrant([]string{"ann", "7", "@ops", "@8"}, lookup)
	if err != nil || len(g.UIDs) != 2 || g.UIDs[0] != 5 || g.UIDs[1] != 7 || len(g.GIDs) != 2 || g.GIDs[0] != 77 || g.GIDs[1] != 8 {
		t.Errorf("%+v, %v", g, err)
	}
	for _, bad := range []string{"", "@", "ops", "@ann", "-1", "4294967296"} {
		if g, err := ParseGrant([]string{bad}, lookup); err == nil {
			t.Errorf("%q: %+v", bad, g)
		}
	}
}

func TestListsOpenTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "s")
	socket, err := Listen(path, Access{Read: &Grant{UIDs: []int{1 << 20}}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Remove()
	for name, want := range map[string]os.FileMode{path: 0o666, filepath.Dir(path): 0o755} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
}
