package nftables_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/nftables"
	"github.com/broodctl/brood/internal/testhost"
)

// What an update leaves in the kernel is what the whole text would have left, and the chains are those that were there.
func TestUpdate(t *testing.T) {
	testhost.Need(t, testhost.Program("nft"))
	perSlot, hashed := listen(t, ":9000,mode=per-slot", 80), sticky(listen(t, ":9000,mode=per-slot", 80))
	other, shared := listen(t, ":9000,mode=per-slot", 81), listen(t, "web=:8080", 443)
	all := map[string]nftables.Turns{"http": {Slots: 4, Serving: []int{0, 1, 2, 3}}}
	three := map[string]nftables.Turns{"http": {Slots: 4, Serving: []int{0, 1, 3}}}
	two := map[string]nftables.Turns{"http": {Slots: 2, Serving: []int{0}}}
	type stage struct {
		cfg *config.Config
		now map[string]nftables.Turns
	}
	for _, tt := range []struct {
		name     string
		from, to stage
		stays    bool // the chains do
		nothing  bool
	}{
		{"nothing", stage{serving(perSlot, shared), all}, stage{serving(perSlot, shared), all}, true, true},
		{"all, as from the file", stage{serving(perSlot), nil}, stage{serving(perSlot), all}, true, true},
		{"a slot less", stage{serving(perSlot, shared), all}, stage{serving(perSlot, shared), three}, true, false},
		{"a slot more", stage{serving(perSlot, shared), three}, stage{serving(perSlot, shared), all}, true, false},
		{"fewer slots", stage{serving(perSlot), all}, stage{serving(perSlot), two}, true, false},
		{"more slots", stage{serving(perSlot), two}, stage{serving(perSlot), three}, true, false},
		{"by client, a slot less", stage{serving(hashed), all}, stage{serving(hashed), three}, true, false},
		{"another public port", stage{serving(perSlot), all}, stage{serving(other), three}, true, false},
		{"another way to choose", stage{serving(perSlot), all}, stage{serving(hashed), three}, false, false},
		{"another listener", stage{serving(perSlot), all}, stage{serving(perSlot, shared), all}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			was, is := nftables.Options{Now: tt.from.now}, nftables.Options{Now: tt.to.now}
			text, err := nftables.Update(tt.from.cfg, was, tt.to.cfg, is)
			if err != nil || (text == "") != tt.nothing || strings.Contains(text, "delete table") == tt.stays {
				t.Fatalf("%q, %v", text, err)
			}
			before, err := nftables.Render(tt.from.cfg, was)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := nftables.Render(tt.to.cfg, is)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := loaded(t, before, text), loaded(t, whole); got != want {
				t.Errorf("by\n%s\nit became\n%s\nwant\n%s", text, got, want)
			}
		})
	}
}

// loaded is what the kernel has of a table after some files. What a map says of its keys is for people, and stays.
func loaded(t *testing.T, texts ...string) string {
	t.Helper()
	ns, file := testhost.NewNetNS(t), filepath.Join(t.TempDir(), "rules.nft")
	for _, text := range texts {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		ns.Must("nft", "-f", file)
	}
	return regexp.MustCompile(`typeof .*`).ReplaceAllString(ns.Must("nft", "list", "ruleset"), "")
}
