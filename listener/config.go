package listener

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// defaultName is the name of a listener that was given none, unless systemd named it.
const defaultName = "http"

// Config is one listener as the user wants it.
type Config struct {
	Name    string
	Address Address
	Mode    Mode
	Steer   Policy
	// QueueAware leaves out members whose queue is not empty while others have an empty one: see Steer. It is for sharded TCP
	// without ClientIP, and ignored where Auto becomes another mode.
	QueueAware bool
	Backlog    int // connections that may wait in each socket; 0 means 4096. The kernel caps it at net.core.somaxconn
	// Perm, Owner and Group are of a unix socket's file. Perm 0 means 0660. Owner and Group are names or numbers; empty
	// ones stay as they are.
	Perm         fs.FileMode
	Owner, Group string
}

// ParseFlag reads [NAME=]ADDRESS[,KEY=VALUE...] with the keys
//
//	mode         auto, sharded, shared or per-slot
//	steer        random, client-ip or cpu
//	queue-aware  true or false; see DefaultQueueAware
//	backlog      connections that may wait in each socket
//	perm         mode of a unix socket's file, octal
//	owner        USER, USER:GROUP or :GROUP of a unix socket's file
//
// The name defaults to "http", or to what systemd calls the socket.
func ParseFlag(s string) (Config, error) {
	c, err := parseFlag(s)
	if err != nil {
		return Config{}, fmt.Errorf("cannot read listener %q: %w", s, err)
	}
	return c, nil
}

func parseFlag(s string) (Config, error) {
	words := strings.Split(s, ",")
	var c Config
	address := words[0]
	if name, rest, ok := strings.Cut(address, "="); ok && !strings.ContainsAny(name, ":/[") {
		if err := CheckName(name); err != nil {
			return Config{}, err
		}
		c.Name, address = name, rest
	}
	var err error
	if c.Address, err = ParseAddress(address); err != nil {
		return Config{}, err
	}
	if c.Name == "" {
		c.Name = defaultName
		if c.Address.Network == networkSystemd {
			c.Name = c.Address.Name
		}
	}
	seen := map[string]bool{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		if seen[key] {
			return Config{}, fmt.Errorf("%s is given twice", key)
		}
		seen[key] = true
		if err := c.set(key, value); err != nil {
			return Config{}, err
		}
	}
	// A steering policy given for what cannot be steered is told from one that is merely the default only here.
	if seen["steer"] && !c.Steerable() {
		return Config{}, errors.New("steer is for sharded TCP")
	}
	if !seen["queue-aware"] {
		c.QueueAware = c.DefaultQueueAware()
	}
	return c, c.Validate()
}

func (c *Config) set(key, value string) error {
	if value == "" {
		return fmt.Errorf("%s needs a value, as in %s=VALUE", key, key)
	}
	switch key {
	case "mode":
		var err error
		c.Mode, err = ParseMode(value)
		return err
	case "steer":
		var err error
		c.Steer, err = ParsePolicy(value)
		return err
	case "queue-aware":
		if value != "true" && value != "false" {
			return fmt.Errorf("queue-aware %q is neither true nor false", value)
		}
		c.QueueAware = value == "true"
	case "backlog":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil || n == 0 {
			return fmt.Errorf("backlog %q is not a positive number", value)
		}
		c.Backlog = int(n)
	case "perm":
		n, err := strconv.ParseUint(value, 8, 32)
		if err != nil || n == 0 || n > 0o777 {
			return fmt.Errorf("perm %q is not an octal number from 1 to 777", value)
		}
		c.Perm = fs.FileMode(n)
	case "owner":
		c.Owner, c.Group, _ = strings.Cut(value, ":")
		if c.Owner == "" && c.Group == "" {
			return fmt.Errorf("owner %q names nobody", value)
		}
	default:
		return fmt.Errorf("key %q is unknown; there are mode, steer, queue-aware, backlog, perm, owner", key)
	}
	return nil
}

// Steerable reports whether Steer can matter: the listener may become sharded TCP.
func (c Config) Steerable() bool {
	return (c.Mode == Auto || c.Mode == Sharded) && (c.Address.Network == networkTCP || c.Address.Network == networkSystemd)
}

// DefaultQueueAware is what QueueAware should be unless somebody says otherwise: on wherever it can be. With servers that
// do one thing at a time, and 2 % of the requests taking 20 ms, it brings the others' p90 from 10.8 ms to 1.7 ms, which is
// what a shared socket has; it costs 2 % of a CPU under load, nothing at rest, and no throughput (see internal/bench).
func (c Config) DefaultQueueAware() bool { return c.Steerable() && c.Steer != ClientIP }

// Validate refuses what cannot be. Open calls it too.
func (c *Config) Validate() error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	a := c.Address
	switch {
	case int(c.Mode) >= len(modeNames) || int(c.Steer) >= len(policyNames):
		return errors.New("mode or steer is out of range")
	case c.QueueAware && !c.Steerable():
		return errors.New("queue-aware steering is for sharded TCP")
	case c.QueueAware && c.Steer == ClientIP:
		return errors.New("queue-aware steering is not for client-ip, which keeps clients with their worker however busy it is")
	case a.Network == networkUnix && (c.Mode == Sharded || c.Mode == PerSlot):
		return fmt.Errorf("a unix socket cannot be %s: the kernel has no SO_REUSEPORT for it", c.Mode)
	case a.Network == networkSystemd && c.Mode == PerSlot:
		return errors.New("a socket from systemd cannot be per-slot: the workers bind those ports themselves")
	case c.Mode == PerSlot && a.Port == 0:
		return errors.New("per-slot needs the port of slot 0")
	case a.Network != networkUnix && (c.Perm != 0 || c.Owner != "" || c.Group != ""):
		return errors.New("perm and owner are for unix sockets that we open")
	case c.Mode == PerSlot && c.Backlog != 0, a.Network == networkUDP && c.Backlog != 0:
		return errors.New("backlog is for stream sockets that we hold")
	}
	return nil
}
