package contrib_test

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/nftables"
	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// lead loads what brood nft writes for one listener of a pool of four.
func lead(t *testing.T, ns *testhost.NetNS, flag string, public int, policy listener.Policy) {
	t.Helper()
	l, err := listener.ParseFlag(flag)
	if err != nil {
		t.Fatal(err)
	}
	l.Steer = policy
	text, err := nftables.Render(&config.Config{
		Name: "web", Listeners: []config.Listener{{Config: l, Public: public}},
		Pools: []config.Pool{{Name: "web", Spec: machine.Spec{Workers: 4}, Listen: []string{l.Name}}},
	}, nftables.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "web.nft")
	write(t, file, text)
	ns.Must("nft", "-f", file)
}

// clients are those that a public port is for.
func clients(cable *testhost.Cable) map[string]*testhost.NetNS {
	return map[string]*testhost.NetNS{"remote": cable.Remote, "local": cable.Server}
}

// TestRenderedRules: traffic gets to where the rules of each kind lead it, from here and from there.
func TestRenderedRules(t *testing.T) {
	testhost.Need(t, testhost.Program("nft"))
	t.Run("all addresses", func(t *testing.T) {
		cable := testhost.Wire(t)
		serve(t, cable.Server, 8080)
		lead(t, cable.Server, ":8080", 80, listener.Random)
		for name, client := range clients(cable) {
			if slots := get(t, client, net.JoinHostPort(cable.ServerIP, "80"), 5); slots[8080] != 5 {
				t.Errorf("%s client: %v", name, slots)
			}
		}
		// What goes to other machines is none of its business.
		serve(t, cable.Remote, 80)
		if slots := get(t, cable.Server, net.JoinHostPort(cable.RemoteIP, "80"), 5); slots[80] != 5 {
			t.Errorf("a request to another machine reached %v", slots)
		}
	})
	t.Run("one address", func(t *testing.T) {
		cable := testhost.Wire(t)
		// Not the interface's first address, which redirect would take.
		const second = "10.77.0.9"
		cable.Server.Must("ip", "address", "add", second+"/24", "dev", "wire")
		serve(t, cable.Server, 8080)
		lead(t, cable.Server, second+":8080", 80, listener.Random)
		for name, client := range clients(cable) {
			if slots := get(t, client, net.JoinHostPort(second, "80"), 5); slots[8080] != 5 {
				t.Errorf("%s client: %v", name, slots)
			}
		}
		if conn, err := cable.Remote.Dial(t.Context(), "tcp", net.JoinHostPort(cable.ServerIP, "80")); err == nil {
			conn.Close()
			t.Error("another address of the machine is led there, too")
		}
	})
	t.Run("one address of six", func(t *testing.T) {
		cable := testhost.Wire(t)
		const server, remote = "fd77::1", "fd77::2"
		cable.Server.Must("ip", "address", "add", server+"/64", "dev", "wire", "nodad")
		cable.Remote.Must("ip", "address", "add", remote+"/64", "dev", "wire", "nodad")
		serve(t, cable.Server, 8080)
		lead(t, cable.Server, "["+server+"]:8080", 80, listener.Random)
		for name, client := range clients(cable) {
			if slots := get(t, client, net.JoinHostPort(server, "80"), 5); slots[8080] != 5 {
				t.Errorf("%s client: %v", name, slots)
			}
		}
	})
	t.Run("per slot", func(t *testing.T) {
		cable := testhost.Wire(t)
		for port := 9000; port < 9004; port++ {
			serve(t, cable.Server, port)
		}
		for _, address := range []string{"", cable.ServerIP} {
			lead(t, cable.Server, address+":9000,mode=per-slot", 80, listener.Random)
			for name, client := range clients(cable) {
				if slots := get(t, client, net.JoinHostPort(cable.ServerIP, "80"), 40); len(slots) != 4 || slots[9002] != 10 {
					t.Errorf("%s client of %q: %v", name, address, slots)
				}
			}
		}
	})
	t.Run("per slot by client", func(t *testing.T) {
		cable := testhost.Wire(t)
		for port := 9000; port < 9004; port++ {
			serve(t, cable.Server, port)
		}
		lead(t, cable.Server, ":9000,mode=per-slot", 80, listener.ClientIP)
		for name, client := range clients(cable) {
			if slots := get(t, client, net.JoinHostPort(cable.ServerIP, "80"), 20); len(slots) != 1 {
				t.Errorf("one %s client reached %v", name, slots)
			}
		}
		reached := map[int]bool{}
		for i := range 20 {
			ip := "10.77.0." + strconv.Itoa(100+i)
			cable.Remote.Must("ip", "address", "add", ip+"/24", "dev", "wire")
			for slot := range getBy(t, func(ctx context.Context, network, address string) (conn net.Conn, err error) {
				err = cable.Remote.Do(func() error {
					conn, err = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).DialContext(ctx, network, address)
					return err
				})
				return conn, err
			}, net.JoinHostPort(cable.ServerIP, "80"), 1) {
				reached[slot] = true
			}
		}
		if len(reached) != 4 { // the hash is fixed, and so is the outcome
			t.Errorf("twenty clients reached %v", reached)
		}
	})
	t.Run("datagrams", func(t *testing.T) {
		cable := testhost.Wire(t)
		echo(t, cable.Server, ":5353")
		lead(t, cable.Server, "udp::5353", 53, listener.Random)
		for name, client := range clients(cable) {
			if answer := say(t, client, net.JoinHostPort(cable.ServerIP, "53"), "hello"); answer != "hello" {
				t.Errorf("%s client got %q", name, answer)
			}
		}
	})
}

// echo answers each datagram with itself.
func echo(t *testing.T, ns *testhost.NetNS, address string) {
	t.Helper()
	var conn net.PacketConn
	err := ns.Do(func() (err error) {
		conn, err = net.ListenPacket("udp", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with Close below
		defer close(done)
		buf := make([]byte, 64)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(buf[:n], from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
}

// say sends a datagram and gives the answer.
func say(t *testing.T, ns *testhost.NetNS, address, words string) string {
	t.Helper()
	conn, err := ns.Dial(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(words)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}
