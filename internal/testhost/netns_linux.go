package testhost

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// NetNS is a network namespace. No name pins it: it goes with the last process
// or socket in it once the test has ended.
type NetNS struct {
	t    testing.TB
	file *os.File
}

// Cable is a pair of namespaces, joined as two machines would be.
type Cable struct {
	Server, Remote     *NetNS
	ServerIP, RemoteIP string
}

// Wire makes two network namespaces with a cable between them, loopback up in
// both. They have no way to this machine or any other.
func Wire(t testing.TB) *Cable {
	t.Helper()
	Need(t, Root, Program("ip"), Program("nsenter"))
	c := &Cable{Server: NewNetNS(t), Remote: NewNetNS(t), ServerIP: "10.77.0.1", RemoteIP: "10.77.0.2"}
	c.Server.Must("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", c.Remote.Path())
	for ns, ip := range map[*NetNS]string{c.Server: c.ServerIP, c.Remote: c.RemoteIP} {
		ns.Must("ip", "address", "add", ip+"/24", "dev", "wire")
		ns.Must("ip", "link", "set", "wire", "up")
	}
	return c
}

// NewNetNS makes a network namespace with nothing but its loopback interface.
func NewNetNS(t testing.TB) *NetNS {
	t.Helper()
	Need(t, Root, Program("ip"), Program("nsenter"))
	var ns *NetNS
	done := make(chan error)
	go func() {
		// Never unlocked: the thread, which has left its namespace, ends with us.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			var file *os.File
			file, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
			ns = &NetNS{t: t, file: file}
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("cannot make a network namespace: %v", err)
	}
	t.Cleanup(func() { ns.file.Close() })
	ns.Must("ip", "link", "set", "lo", "up")
	return ns
}

func openNetNS(t testing.TB, path string) *NetNS {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return &NetNS{t: t, file: file}
}

// Path names the namespace for other processes, as long as the test runs.
func (n *NetNS) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd())
}

// Command prepares a program that runs in the namespace, with the ordinary files
// and cgroups of this machine.
func (n *NetNS) Command(ctx context.Context, argv ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + n.Path(), "--"}, argv...)...)
}

// Must runs a program that has to end with 0 and gives its output.
func (n *NetNS) Must(argv ...string) string {
	n.t.Helper()
	out, err := n.Command(n.t.Context(), argv...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return string(out)
}

// Do runs a function on a thread that is inside. Sockets made in it belong to the
// namespace for good.
func (n *NetNS) Do(f func() error) error {
	done := make(chan error)
	go func() {
		// Never unlocked: see NewNetNS.
		runtime.LockOSThread()
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("cannot enter network namespace: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Dial opens a connection from inside; it is a loadgen.DialFunc. The address must
// be a literal one: a resolver would work on another thread.
func (n *NetNS) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = n.Do(func() error {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen opens a listening socket inside.
func (n *NetNS) Listen(network, address string) net.Listener {
	n.t.Helper()
	var listener net.Listener
	err := n.Do(func() error {
		var err error
		listener, err = net.Listen(network, address)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { listener.Close() })
	return listener
}
