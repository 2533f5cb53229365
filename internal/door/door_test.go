package door

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listeners are those that a door can be made of.
func listeners(t *testing.T) map[string]net.Listener {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]net.Listener{"unix": unix, "tcp": tcp}
}

func each(t *testing.T, test func(t *testing.T, d *Door)) {
	t.Helper()
	for name, l := range listeners(t) {
		t.Run(name, func(t *testing.T) {
			d, err := New(l)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			test(t, d)
		})
	}
}

func knock(t *testing.T, d *Door) net.Conn {
	t.Helper()
	conn, err := net.Dial(d.Addr().Network(), d.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// accept takes the next connection, and says a word on it.
func accept(t *testing.T, l net.Listener, word string) {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, word)
	_ = conn.Close()
}

func hears(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	if got, err := io.ReadAll(conn); err != nil || string(got) != want {
		t.Errorf("heard %q, %v; want %q", got, err, want)
	}
}

// Who comes while nobody attends waits for the next.
func TestAddressStaysOpen(t *testing.T) {
	each(t, func(t *testing.T, d *Door) {
		first := d.Attend()
		a := knock(t, d)
		accept(t, first, "first")
		hears(t, a, "first")
		_ = first.Close()
		_ = first.Close()
		b := knock(t, d)
		if _, err := first.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepted after it was closed: %v", err)
		}
		accept(t, d.Attend(), "second")
		hears(t, b, "second")
	})
}

// One that is closed while it waits returns at once, and takes nothing from its successor.
func TestCloseEndsWaiting(t *testing.T) {
	each(t, func(t *testing.T, d *Door) {
		for range 100 {
			view := d.Attend()
			ended := make(chan error, 1)
			go func() {
				conn, err := view.Accept()
				if err == nil {
					_ = conn.Close()
				}
				ended <- err
			}()
			next := d.Attend() // which closes the other
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Fatalf("%v", err)
			}
			conn := knock(t, d)
			accept(t, next, "next")
			hears(t, conn, "next")
			_ = conn.Close()
		}
	})
}

func TestClosedDoor(t *testing.T) {
	each(t, func(t *testing.T, d *Door) {
		view := d.Attend()
		ended := make(chan error, 1)
		go func() {
			_, err := view.Accept()
			ended <- err
		}()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("again: %v", err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
		_ = view.Close()
		if conn, err := net.Dial(d.Addr().Network(), d.Addr().String()); err == nil {
			_ = conn.Close()
			t.Error("somebody answers")
		}
		if _, err := d.Descriptor(); err == nil {
			t.Error("it has a descriptor")
		}
	})
}

// Servers take turns, and each request is answered by one of them.
func TestServersTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, d *Door) {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, d.Addr().Network(), d.Addr().String())
		}}}
		var asking sync.WaitGroup
		stop, answers := make(chan struct{}), make(chan struct{})
		for range 4 {
			asking.Go(func() {
				for {
					resp, err := client.Get("http://door/")
					if err != nil {
						t.Errorf("a request failed: %v", err)
						return
					}
					_ = resp.Body.Close()
					select {
					case answers <- struct{}{}:
					case <-stop:
						return
					}
				}
			})
		}
		serve := func() *Turn {
			return Serve(d.Attend(), &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })})
		}
		for range 100 {
			turn := serve()
			for range 5 {
				<-answers
			}
			turn.End(t.Context())
		}
		last := serve()
		close(stop)
		asking.Wait()
		last.End(t.Context())
	})
}

// Who is idle holds up no end, who is silent does until the end of patience, and who waits for an answer gets it.
func TestEndOfATurn(t *testing.T) {
	each(t, func(t *testing.T, d *Door) {
		asked, answer := make(chan struct{}), make(chan struct{})
		turn := Serve(d.Attend(), &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(asked)
				<-answer
			}
			_, _ = io.WriteString(w, "here")
		})})
		idle, slow := knock(t, d), knock(t, d)
		_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: door\r\n\r\n")
		isAnswered(t, idle, false)
		_, _ = io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: door\r\n\r\n")
		<-asked
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			turn.End(t.Context())
		}()
		if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("idle: %v", err)
		}
		select {
		case <-ended:
			t.Error("it has not waited for the answer")
		default:
		}
		close(answer)
		isAnswered(t, slow, true)
		<-ended

		next := Serve(d.Attend(), &http.Server{})
		silent := knock(t, d)
		for !next.isBusy() { // it is accepted any moment
			runtime.Gosched()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		next.End(ctx)
		if ctx.Err() == nil {
			t.Error("it has not waited for the request")
		}
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("silent: %v", err)
		}
	})
}

// isAnswered reads an answer, which may be the last of its connection.
func isAnswered(t *testing.T, conn net.Conn, last bool) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Close != last {
		t.Errorf("the last one: %v", resp.Close)
	}
}

func (t *Turn) isBusy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open > 0
}

func isOpen(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil
}

// A door is taken over by its number, which stays what it is until somebody keeps the door.
func TestAdopt(t *testing.T) {
	each(t, func(t *testing.T, d *Door) {
		number, err := d.Descriptor()
		if err != nil {
			t.Fatal(err)
		}
		left, err := syscall.Dup(number) // as the next program finds it
		if err != nil {
			t.Fatal(err)
		}
		conn := knock(t, d)
		_ = d.Close()
		given, err := Adopt(left)
		if err != nil {
			t.Fatal(err)
		}
		_ = given.Close()
		if !isOpen(left) {
			t.Fatal("who cannot go on cannot give it back")
		}
		again, err := Adopt(left)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = again.Close() }()
		again.Keep()
		again.Keep()
		if isOpen(left) {
			t.Error("the number that it came by is still open")
		}
		accept(t, again.Attend(), "again")
		hears(t, conn, "again")
	})
}

func TestAdoptRefuses(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	udp, err := conn.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	defer syscall.Close(pair[1])
	for what, fd := range map[string]int{"a file": int(file.Fd()), "udp": int(udp.Fd()), "a connection": pair[0], "nothing": 1 << 19, "less than nothing": -1} {
		if d, err := Adopt(fd); !errors.Is(err, ErrSocket) {
			t.Errorf("%s: %v, %v", what, d, err)
		}
	}
}

func TestUnlink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, unlink := range []bool{false, true} {
		_ = os.Remove(path)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := New(l)
		if err != nil {
			t.Fatal(err)
		}
		if unlink {
			d.Unlink(path)
		}
		_ = d.Close()
		if _, err := os.Lstat(path); (err != nil) != unlink {
			t.Errorf("to be removed: %v; and then %v", unlink, err)
		}
	}
}

func TestNewRefusesWhatCannotBeLeft(t *testing.T) {
	if _, err := New(struct{ net.Listener }{}); !errors.Is(err, ErrSocket) {
		t.Errorf("%v", err)
	}
}
