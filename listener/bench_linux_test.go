package listener

import (
	"fmt"
	"testing"
)

// BenchmarkSteer is the whole of a change of steering: making the program, and having the kernel check and attach it.
func BenchmarkSteer(b *testing.B) {
	for _, members := range []int{8, 257, 2000} {
		for _, layout := range []string{"even", "mixed"} {
			b.Run(fmt.Sprintf("%s/%d", layout, members), func(b *testing.B) {
				slots := (members + 1) / 2
				if layout == "mixed" {
					slots = min(members, 1000)
				}
				l := open(b, slots, "127.0.0.1:0").first()
				var all []Member
				for slot := range slots {
					if layout == "mixed" {
						all = append(all, Member{slot, Side(scatter(uint32(slot)) & 1)})
						continue
					}
					all = append(all, Member{slot, A}, Member{slot, B})
				}
				b.ResetTimer()
				for b.Loop() {
					if err := l.Steer(all[:min(members, len(all))]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkLook is what it takes to look at the sockets of a thousand workers once: what has to be put back, and who waits.
func BenchmarkLook(b *testing.B) {
	const slots = 1000
	l := open(b, slots, "127.0.0.1:0").first()
	b.ReportAllocs()
	for b.Loop() {
		for slot := range slots {
			if _, err := l.Restore(slot, A); err != nil {
				b.Fatal(err)
			}
			if _, err := l.Queue(slot, A); err != nil {
				b.Fatal(err)
			}
		}
	}
}
