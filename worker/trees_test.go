package worker

import (
	"maps"
	"slices"
	"strconv"
	"testing"
)

func TestTreesOf(t *testing.T) {
	const ours, other = 1, 2
	all := map[int]stat{
		10: {parent: ours, group: 10},
		11: {parent: 10, group: 10},
		12: {parent: 11, group: 12}, // has a group of its own
		13: {parent: ours, group: 10},
		14: {parent: 13, group: 13},
		15: {parent: ours, group: 12}, // left, and with another group
		16: {parent: other, group: 10},
		20: {parent: ours, group: 20},
		21: {parent: 30, group: 30}, // its worker was reaped
		30: {parent: 21, group: 40}, // and its number given again, by the child
		31: {parent: ours, group: 50},
		60: {parent: 61, group: 60}, // these seem to be each other's parents
		61: {parent: 60, group: 60},
	}
	trees := treesOf([]int{10, 20, 50, 60, 70}, all, ours)
	want := map[int][]int{10: {10, 11, 12, 13, 14}, 20: {20}, 50: {31}, 60: {60, 61}}
	for _, tree := range trees {
		slices.Sort(tree)
	}
	if !maps.EqualFunc(trees, want, slices.Equal) {
		t.Errorf("got %v, want %v", trees, want)
	}
}

const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// Both ways to read the tables see the same, but for connections that nobody has yet.
func FuzzConnected(f *testing.F) {
	f.Add(header+"   0: 0100007F:0050 0100007F:9C42 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 20 4 30 10 -1\n", 80)
	f.Add("1: 00000000000000000000000001000000:0050 0:0 08 0 0 0 0 0 4712 1\n2: 0:0050 0:0 0A 0 0 0 0 0 4713\n", 80)
	f.Add("3: 0:1F90 0:0 01 0 0 0 0 0 0\n4: :: 01", 8080)
	f.Fuzz(func(t *testing.T, text string, port int) {
		got := Connected{}
		got.add([]byte(text), []int{port})
		want := Connected{}
		for _, state := range []string{tcpEstablished, tcpCloseWait} {
			for _, inode := range parseSockets([]byte(text), state, port) {
				if inode != 0 {
					want[inode] = struct{}{}
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%q, port %d: %v, want %v", text, port, got, want)
		}
	})
}

func TestSocketInode(t *testing.T) {
	for text, want := range map[string]uint64{
		"socket:[4711]": 4711, "socket:[18446744073709551615]": 1<<64 - 1, "pipe:[4711]": 0, "socket:[": 0, "/dev/socket:[1]": 0, "socket:[x]": 0,
	} {
		if got, ok := socketInode([]byte(text)); got != want || ok != (want != 0) {
			t.Errorf("%s: %s, %t", text, strconv.FormatUint(got, 10), ok)
		}
	}
}
