package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/broodctl/brood/internal/lease/remote"
)

// Config is where etcd is, and how an engine behaves.
type Config struct {
	Endpoints []string // URLs, http or https all of them
	Prefix    string   // of all keys; default /brood

	CA   string // file with the certificates of those who may sign etcd's; default those of the system
	Cert string // files of the client's own certificate and its key, or none
	Key  string

	User         string
	PasswordFile string // is read at each login, so that the password may be changed

	Engine remote.Config
}

func (c *Config) complete() error {
	if c.Prefix == "" {
		c.Prefix = "/brood"
	}
	c.Prefix = "/" + strings.Trim(c.Prefix, "/")
	switch {
	case len(c.Endpoints) == 0:
		return errors.New("no endpoint of etcd is given")
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("a client's certificate for etcd needs its key, and the key its certificate")
	case (c.User == "") != (c.PasswordFile == ""):
		return errors.New("a user of etcd needs a password, and a password its user")
	}
	for _, endpoint := range c.Endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("the endpoint %q of etcd is not like https://host:2379", endpoint)
		}
		if secure := u.Scheme == "https"; secure != c.secure() {
			return fmt.Errorf("the endpoints %q and %q of etcd: either all are encrypted or none", c.Endpoints[0], endpoint)
		}
	}
	if !c.secure() && (c.CA != "" || c.Cert != "") {
		return fmt.Errorf("certificates for etcd need endpoints with https, not %q", c.Endpoints[0])
	}
	return nil
}

// Check reports what New would refuse. It asks nobody.
func (c Config) Check() error {
	if err := c.complete(); err != nil {
		return err
	}
	_, err := c.client()
	return err
}

func (c *Config) secure() bool { return strings.HasPrefix(c.Endpoints[0], "https:") }

// password is what the file has without the end of its line.
func (c *Config) password() (string, error) {
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("cannot read the password for etcd: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// client is the configuration of etcd's own client.
func (c *Config) client() (clientv3.Config, error) {
	cfg := clientv3.Config{
		Endpoints:            c.Endpoints,
		DialKeepAliveTime:    10 * time.Second, // finds connections that nothing comes from; etcd refuses more than one ping in 5 s
		DialKeepAliveTimeout: 5 * time.Second,
		Logger:               zap.NewNop(),
	}
	if c.User != "" {
		if _, err := c.password(); err != nil {
			return cfg, err // a mistake is told now, not by a login
		}
	}
	if !c.secure() {
		return cfg, nil
	}
	cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return cfg, fmt.Errorf("cannot read etcd's certificate authority: %w", err)
		}
		cfg.TLS.RootCAs = x509.NewCertPool()
		if !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return cfg, fmt.Errorf("%s has no certificate of an authority for etcd", c.CA)
		}
	}
	if c.Cert == "" {
		return cfg, nil
	}
	own := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("cannot read the client's certificate for etcd: %w", err)
		}
		return &pair, nil
	}
	cfg.TLS.GetClientCertificate = own
	_, err := own(nil) // a mistake is told now, not by a handshake
	return cfg, err
}
