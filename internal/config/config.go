package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/plan"
)

// Config is what a File means: complete, checked, with the defaults put in. It holds secrets; see Pool.Secrets.
type Config struct {
	Path        string // of the file; "" if it came from flags
	Name        string
	Control     string           // "" is the default path
	Access      Access           // to the API
	HTTP        listener.Address // of probes and metrics; without a network there is none
	HTTPHosts   []string         // names of the dashboard, beside addresses and localhost
	LogLevel    string
	LogFormat   string
	StopTimeout time.Duration // 0 is not known
	// UpgradeOnReload: SIGHUP goes on as another version of brood, if one was installed.
	UpgradeOnReload bool
	Listeners       []Listener // in the order of the file
	Pools           []Pool     // in the order of the file
	Hooks           []Hook     // in the order of the file
	// Coordination is what is shared with other supervisors.
	Coordination plan.Coordination

	// Document is all of this as JSON, without secrets; see the function of that name.
	Document json.RawMessage

	doc *document // nil if it came from flags
}

// Hook is who is told of events; see package hooks. Either Exec or URL is said.
type Hook struct {
	Name    string
	Exec    []string
	URL     string // a secret, as Headers are
	Headers map[string]string
	// TokenFile is an absolute path, "" if there is none.
	TokenFile string
	Kinds     []events.Kind
	Pools     []string
	States    []string
	Causes    []string
	Timeout   time.Duration
	Attempts  int
	Queue     int
}

// Digest tells two versions of a hook apart without showing what is secret in them.
func (h *Hook) Digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", *h))
	return hex.EncodeToString(sum[:8])
}

// Listener is one address, and what is said of it outside of package listener.
type Listener struct {
	listener.Config
	Public int // the port that clients use; 0 if they use the listener's
}

// Pool is one pool, as package plan knows it. Its Recipe is without InheritEnv, and in its Listen "*" stands for every
// socket of systemd's that no Listener takes.
type Pool = plan.Pool
