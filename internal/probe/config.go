package probe

import (
	"regexp"
	"time"
)

// Kind is how a worker is asked.
type Kind string

// Kinds of probes; see the package comment.
const (
	HTTP   Kind = "http"
	TCP    Kind = "tcp"
	Unix   Kind = "unix"
	Exec   Kind = "exec"
	GRPC   Kind = "grpc"
	Notify Kind = "notify"
)

// Defaults of Config, those of Kubernetes.
const (
	DefaultPath             = "/"
	DefaultPeriod           = 10 * time.Second
	DefaultTimeout          = time.Second
	DefaultSuccessThreshold = 1
	DefaultFailureThreshold = 3
)

// Config says how a worker is asked, and how many answers make a verdict. Zero values stand for the defaults.
type Config struct {
	Kind Kind

	// Of http.
	TLS     TLS
	Path    string // with its query; default /
	Headers []Header
	Status  StatusSet      // what is healthy; default 200-399
	Body    *regexp.Regexp // must match the first 64 KiB; nil is any body

	Host    string // the Host of http and the authority of grpc; default is the address that was connected to
	Service string // of grpc; empty asks for the whole server
	Command string // of exec: for /bin/sh -c

	// Address is asked instead of the worker's listener: HOST:PORT, :PORT on the loopback, unix:/PATH or unix:@NAME.
	// For http, tcp, unix and grpc.
	Address string

	InitialDelay time.Duration // before the first attempt
	Period       time.Duration // from the beginning of an attempt to that of the next one; default 10s
	Timeout      time.Duration // of an attempt; default 1s

	SuccessThreshold int // how many in a row make it pass; default 1
	FailureThreshold int // how many in a row make it fail; default 3
}

// TLS says whether an http probe is encrypted.
type TLS string

// Plain is http; Unverified is https with any certificate, as in Kubernetes: a probe asks whether the worker works, of an
// address that its certificate seldom names.
const (
	Plain      TLS = ""
	Unverified TLS = "unverified"
)

// Header is a field of an HTTP request. One of the probe's own names replaces that; the name Host sets the host.
type Header struct{ Name, Value string }

// WithDefaults returns the configuration with the defaults where it has zero values.
func (c Config) WithDefaults() Config {
	if c.Kind == HTTP && c.Path == "" {
		c.Path = DefaultPath
	}
	if c.Kind == HTTP && c.Status == (StatusSet{}) {
		c.Status = DefaultStatus()
	}
	setDefault(&c.Period, DefaultPeriod)
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.SuccessThreshold, DefaultSuccessThreshold)
	setDefault(&c.FailureThreshold, DefaultFailureThreshold)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
