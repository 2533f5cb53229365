package worker

import (
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Both ways to list connections see the same: those that were accepted, also when their client has gone, and not those
// that wait, or that are another port's.
func TestConnectionsAreListedTheSame(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for n := range 5 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if n > 2 {
			continue
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer accepted.Close()
		if n == 0 {
			_ = client.Close()
			if _, err := accepted.Read(make([]byte, 1)); err == nil {
				t.Fatal("the client has not gone")
			}
		}
	}
	port := l.Addr().(*net.TCPAddr).Port
	text, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	want := Connected{}
	want.add(text, []int{port})
	if len(want) != 3 {
		t.Errorf("the table of proc(5) has %v", want)
	}
	for _, ports := range [][]int{{port}, {1, port}} {
		got := Connected{}
		if err := got.diagnose(unix.AF_INET, ports); err != nil || !maps.Equal(got, want) {
			t.Errorf("ports %d: %v, %v, want %v", ports, got, err, want)
		}
		if err := got.diagnose(unix.AF_INET6, ports); err != nil || len(got) != len(want) {
			t.Errorf("ports %d: %v, %v of IPv6", ports, got, err)
		}
	}
	if err := (Connected{}).diagnose(255, []int{port}); !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
		t.Errorf("of a family that is none: %v", err)
	}
}

// diagMessage is one message of an answer.
func diagMessage(kind uint16, body []byte) []byte {
	m := make([]byte, diagHeader, diagHeader+len(body))
	binary.NativeEndian.PutUint32(m, uint32(diagHeader+len(body)))
	binary.NativeEndian.PutUint16(m[4:], kind)
	return append(m, body...)
}

func FuzzDiag(f *testing.F) {
	answer := make([]byte, diagAnswer)
	binary.BigEndian.PutUint16(answer[diagPort:], 80)
	binary.NativeEndian.PutUint32(answer[diagInode:], 4711)
	one, end := diagMessage(unix.SOCK_DIAG_BY_FAMILY, answer), diagMessage(unix.NLMSG_DONE, make([]byte, 4))
	got := Connected{}
	if done, err := got.addDiag(append(append([]byte{}, one...), end...), []int{80}); !done || err != nil || !maps.Equal(got, Connected{4711: {}}) {
		f.Fatalf("%v, %t, %v", got, done, err)
	}
	f.Add(one)
	f.Add(end)
	f.Add(append(one, end...))
	f.Add(diagMessage(unix.NLMSG_ERROR, []byte{0xfe, 0xff, 0xff, 0xff}))
	f.Add(diagMessage(unix.SOCK_DIAG_BY_FAMILY, answer[:20]))
	f.Add(one[:9])
	f.Fuzz(func(t *testing.T, text []byte) {
		got := Connected{}
		if done, err := got.addDiag(text, []int{80}); done && err != nil || len(got) > len(text)/diagAnswer {
			t.Fatalf("%x: %v, %t, %v", text, got, done, err)
		}
	})
}
