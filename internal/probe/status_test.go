package probe_test

import (
	"errors"
	"testing"

	"github.com/broodctl/brood/internal/probe"
)

func TestParseStatus(t *testing.T) {
	tests := []struct {
		in, want string
		has, not []int
	}{
		{"200", "200", []int{200}, []int{199, 201}},
		{"2xx", "200-299", []int{200, 250, 299}, []int{199, 300}},
		{"2XX, 5xx", "200-299,500-599", []int{200, 500, 599}, []int{300, 499, 600}},
		{"200-299,304", "200-299,304", []int{299, 304}, []int{303, 305}},
		{" 200 - 399 ", "200-399", []int{200, 399}, []int{400}},
		{"404,200,201,202", "200-202,404", []int{404}, []int{203}},
		{"200-599", "200-599", []int{200, 263, 264, 599}, []int{0, -1, 100, 101, 600, 1 << 20}},
		{"503,503-503", "503", []int{503}, []int{502, 504}},
	}
	for _, tt := range tests {
		got, err := probe.ParseStatus(tt.in)
		if err != nil || got.String() != tt.want {
			t.Errorf("%q: %s, %v", tt.in, got, err)
		}
		for _, status := range tt.has {
			if !got.Has(status) {
				t.Errorf("%q has no %d", tt.in, status)
			}
		}
		for _, status := range tt.not {
			if got.Has(status) {
				t.Errorf("%q has %d", tt.in, status)
			}
		}
	}
	if s := probe.DefaultStatus().String(); s != "200-399" {
		t.Errorf("default is %s", s)
	}
}

func TestParseStatusRefuses(t *testing.T) {
	for _, in := range []string{
		"", ",", "200,", "ok", "20", "2000", "+200", "-200", "200-", "299-200", "1xx", "6xx", "xx", "2x", "22xx", "199-200",
		"599-600", "200-299-399", "200 201", "0xc8", "२००", "2xx-3xx",
	} {
		if s, err := probe.ParseStatus(in); !errors.Is(err, probe.ErrStatus) || s != (probe.StatusSet{}) {
			t.Errorf("%q: %s, %v", in, s, err)
		}
	}
}

// What was read is read again from what is written, as the same set.
func FuzzParseStatus(f *testing.F) {
	for _, seed := range []string{"200", "2xx", "200-299,304", "2xx , 599", "", "-", "6xx", "200-2xx"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := probe.ParseStatus(text)
		if err != nil {
			if set != (probe.StatusSet{}) {
				t.Errorf("%q: %v, and yet %s", text, err, set)
			}
			return
		}
		again, err := probe.ParseStatus(set.String())
		if err != nil || again != set {
			t.Errorf("%q is written %s, which is %s, %v", text, set, again, err)
		}
	})
}
