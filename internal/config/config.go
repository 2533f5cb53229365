package config

import (
	"syscall"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// Config is what a File means: complete, checked, with the defaults put in. It holds secrets; see Pool.Secrets.
type Config struct {
	Path        string // of the file; "" if it came from flags
	Name        string
	Control     string // "" is the default path
	LogLevel    string
	LogFormat   string
	StopTimeout time.Duration // 0 is not known
	Listeners   []Listener    // in the order of the file
	Pools       []Pool        // in the order of the file
}

// Listener is one address, and what is said of it outside of package listener.
type Listener struct {
	listener.Config
	Public int // the port that clients use; 0 if they use the listener's
}

// Pool is one pool.
type Pool struct {
	Name    string
	Spec    machine.Spec
	Recipe  worker.RecipeConfig // without InheritEnv
	Umask   *uint32
	Limits  []worker.Limit
	Listen  []string // names of listeners; "*" is every socket of systemd's that no Listener takes
	Ready   worker.Readiness
	Signals worker.Signals
	Orphans worker.OrphanPolicy
	Clean   CleanExits
	Output  string // auto, prefix, tail, inherit

	Requires        []string
	RequiresTimeout time.Duration
	PreStart        []string
	After           []string

	// Secrets are the names of the variables in Recipe.Env whose values must never be shown.
	Secrets []string
	// Sources say what Recipe depends on beside the file itself: a digest of the content of each file that a credential
	// hands over by its path, so that another content counts as a change.
	Sources map[string]string
}

// CleanExits are the ends, beside status 0, that count as success.
type CleanExits struct {
	Codes   []int
	Signals []syscall.Signal
}
