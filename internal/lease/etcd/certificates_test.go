package etcd_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	"github.com/broodctl/brood/internal/lease/etcd"
)

func clientTLS(t *testing.T, cfg etcd.Config) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(cfg.CA)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}
