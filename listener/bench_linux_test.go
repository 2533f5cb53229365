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
