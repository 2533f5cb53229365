//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// service is a program that others need. It ends with the test.
type service struct {
	cmd  *exec.Cmd
	done chan struct{} // its output has ended
}

// serve starts a program and waits until it has said some words.
func serve(t *testing.T, words string, attr *syscall.SysProcAttr, argv ...string) *service {
	t.Helper()
	s := &service{cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.SysProcAttr, s.cmd.Dir = in, in, attr, "/"
	err = s.cmd.Start()
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	ready, said := make(chan struct{}), ""
	go func() { // ends with the program
		defer close(s.done)
		lines := bufio.NewScanner(out)
		for found := false; lines.Scan(); {
			switch {
			case found:
			case strings.Contains(lines.Text(), words):
				found = true
				close(ready)
			default:
				said += lines.Text() + "\n"
			}
		}
		out.Close()
	}()
	t.Cleanup(s.end)
	select {
	case <-ready:
	case <-s.done:
		t.Fatalf("%s did not start:\n%s", argv[0], said)
	}
	return s
}

// end ends it at once: what it knew is of no use to anybody. PostgreSQL would leave memory behind if it were killed.
func (s *service) end() {
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	_ = s.cmd.Wait()
	<-s.done
}

// accepts is what both say when they serve, but for its first letter.
const accepts = "eady to accept connections"

// redisServer starts Debian's, with nothing on a disk.
func redisServer(t *testing.T, port int) *service {
	t.Helper()
	return serve(t, accepts, nil, "redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no")
}

const postgresBin = "/usr/lib/postgresql/15/bin/"

func postgresIsThere() error {
	_, err := os.Stat(postgresBin + "postgres")
	return err
}

// postgres makes a database of its own, and starts it. It refuses to be run by root.
func postgres(t *testing.T, port int) (source *url.URL) {
	t.Helper()
	attr, owner := &syscall.SysProcAttr{}, os.Geteuid()
	if testhost.Root() == nil {
		owner = nobody
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	dir := filepath.Join(scratch(t, owner), "data")
	initdb := exec.CommandContext(t.Context(), postgresBin+"initdb", "-D", dir, "-U", "user", "-A", "trust", "--no-locale", "-E", "UTF8", "-N")
	initdb.SysProcAttr, initdb.Dir = attr, "/"
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	serve(t, accepts, attr, postgresBin+"postgres", "-D", dir, "-F",
		"-c", fmt.Sprintf("port=%d", port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
	return &url.URL{Scheme: "postgresql", User: url.UserPassword("user", "password"), Host: address(port), Path: "/postgres"}
}
