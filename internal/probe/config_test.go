package probe_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/probe"
)

func TestDefaults(t *testing.T) {
	want := probe.Config{
		Kind: probe.HTTP, Path: "/", Status: probe.DefaultStatus(), Period: 10 * time.Second, Timeout: time.Second,
		SuccessThreshold: 1, FailureThreshold: 3,
	}
	if diff := cmp.Diff(want, probe.Config{Kind: probe.HTTP}.WithDefaults()); diff != "" {
		t.Error(diff)
	}
	if c := (probe.Config{Kind: probe.TCP}).WithDefaults(); c.Path != "" || c.Status != (probe.StatusSet{}) {
		t.Errorf("tcp has %+v", c)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		c     probe.Config
		wrong []string
	}{
		{"http", probe.Config{Kind: probe.HTTP}, nil},
		{"all of http", probe.Config{
			Kind: probe.HTTP, TLS: probe.Unverified, Path: "/a%20b?c=d", Host: "example.org:80", Body: regexp.MustCompile("ok"),
			Headers: []probe.Header{{"X-A", ""}, {"x-a", "tab\tä"}, {"Host", "[::1]"}}, Address: ":9090",
		}, nil},
		{"tcp", probe.Config{Kind: probe.TCP, Address: "localhost:1"}, nil},
		{"unix", probe.Config{Kind: probe.Unix, Address: "unix:/run/x.sock"}, nil},
		{"abstract", probe.Config{Kind: probe.HTTP, Address: "unix:@x"}, nil},
		{"exec", probe.Config{Kind: probe.Exec, Command: "true"}, nil},
		{"grpc", probe.Config{Kind: probe.GRPC, Service: "a.B", Host: "b", Address: "[::1]:50051"}, nil},
		{"notify", probe.Config{Kind: probe.Notify}, nil},
		{"shortest", probe.Config{Kind: probe.TCP, Period: 10 * time.Millisecond, Timeout: time.Millisecond}, nil},
		{"no kind", probe.Config{Path: "x"}, []string{"Kind"}},
		{"path", probe.Config{Kind: probe.HTTP, Path: "healthz"}, []string{"Path"}},
		{"fragment", probe.Config{Kind: probe.HTTP, Path: "/a#b"}, []string{"Path"}},
		{"broken path", probe.Config{Kind: probe.HTTP, Path: "/\r\nX: y"}, []string{"Path"}},
		{"header", probe.Config{Kind: probe.HTTP, Headers: []probe.Header{
			{"", "x"}, {"a b", "x"}, {"ä", "x"}, {"A:", "x"}, {"A", "x\r\nB: c"}, {"connection", "x"}, {"Host", "a/b"},
		}}, slices.Repeat([]string{"Headers"}, 7)},
		{"host", probe.Config{Kind: probe.HTTP, Host: "a b"}, []string{"Host"}},
		{"tls", probe.Config{Kind: probe.HTTP, TLS: "strict"}, []string{"TLS"}},
		{"fields of others", probe.Config{
			Kind: probe.Exec, Command: " ", Path: "/", Service: "x", Address: ":1", Host: "x", TLS: probe.Unverified,
			Body: regexp.MustCompile(""), Headers: []probe.Header{{}},
		}, []string{"TLS", "Path", "Headers", "Body", "Host", "Service", "Address", "Command"}},
		{"status of tcp", probe.Config{Kind: probe.TCP, Status: probe.DefaultStatus(), Command: "x"}, []string{"Status", "Command"}},
		{"service", probe.Config{Kind: probe.GRPC, Service: "\xff"}, []string{"Service"}},
		{"tcp to unix", probe.Config{Kind: probe.TCP, Address: "unix:/x"}, []string{"Address"}},
		{"unix to tcp", probe.Config{Kind: probe.Unix, Address: ":80"}, []string{"Address"}},
		{"times", probe.Config{Kind: probe.TCP, InitialDelay: -1, Period: -time.Second, Timeout: 1}, []string{"InitialDelay", "Period", "Timeout"}},
		{"thresholds", probe.Config{Kind: probe.TCP, SuccessThreshold: -1, FailureThreshold: -3}, []string{"SuccessThreshold", "FailureThreshold"}},
	}
	for _, address := range []string{"80", "x", ":0", ":65536", ":http", "a b:80", "unix:", "unix:x", "unix:@", "http://a:80", "::1:80"} {
		tests = append(tests, struct {
			name  string
			c     probe.Config
			wrong []string
		}{address, probe.Config{Kind: probe.HTTP, Address: address}, []string{"Address"}})
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.wrong, wrongFields(t, tt.c.Validate())); diff != "" {
			t.Errorf("%s: %v: %s", tt.name, tt.c.Validate(), diff)
		}
	}
}

func wrongFields(t *testing.T, err error) []string {
	t.Helper()
	errs := []error{err}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		errs = all.Unwrap()
	}
	var fields []string
	for _, e := range errs {
		if f, ok := errors.AsType[*probe.FieldError](e); ok {
			fields = append(fields, f.Field)
		} else if e != nil {
			t.Errorf("%v has no field", e)
		}
	}
	return fields
}
