package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/door"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/metrics"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/worker"
)

// entrance is where the API is, and who may use it.
type entrance struct {
	socket  *control.Socket
	access  control.Access
	remote  *door.Door       // nil if there is none
	address listener.Address // of remote
	tokens  control.Tokens
	server  *control.Server // nil until it is served
	left    handedAPI       // by the program before
	warn    func(error)
}

// openDoor opens what the API is answered on, or takes over what the program before has left. Nothing is answered yet.
func openDoor(cfg *config.Config, h *host.Host) (*entrance, error) {
	log := h.Log()
	d := &entrance{address: cfg.Access.TCP, warn: func(err error) { log.Warn().Err(err).Msg("the control socket lets in whom it did before") }, tokens: control.Tokens{
		Write: cfg.Access.TokenFile, Read: cfg.Access.ReadTokenFile,
		Log: func(err error) { log.Error().Err(err).Msg("cannot use token of the control API") },
	}}
	var err error
	if d.access, err = accessOf(cfg); err != nil {
		return nil, err
	}
	path := cfg.Control
	if path == "" {
		path = control.DefaultPath(os.Getenv, os.Geteuid(), cfg.Name)
	}
	if cfg.Access.TokenFile != "" {
		if err := d.tokens.Check(); err != nil {
			return nil, &userError{code: exitConfig, err: err, hint: "a token is one line of 16 characters or more, in a file of mode 0600"}
		}
	}
	was, err := h.Handed(partAPI, &d.left)
	if err != nil {
		return nil, err
	}
	if !was {
		d.socket, err = control.Listen(path, d.access)
	} else if d.socket, err = control.AdoptSocket(d.left.Socket); err == nil && d.left.Socket.Path != path {
		err = fmt.Errorf("cannot move control socket %s to %s: %w", d.left.Socket.Path, path, errMoves)
	}
	if err != nil {
		return nil, controlError(err)
	}
	if d.remote, err = openLeft(cfg.Access.TCP, d.left.Remote, "tcp of [supervisor.control]"); err != nil {
		if !was { // or else it is still the program's before
			d.socket.Remove()
		}
		return nil, fmt.Errorf("cannot answer the control API: %w", err)
	}
	return d, nil
}

var errMoves = errors.New("that takes effect when brood is started anew")

// serve answers, until the server is closed.
func (d *entrance) serve(sup control.Supervisor, output *logs.Mux, log zerolog.Logger) *control.Server {
	opt := control.Options{
		Access: d.access, Logs: output, Log: log,
		Metrics: metrics.Handler(metrics.Source{Snapshot: sup.Measured, Logs: output}, log),
	}
	if d.left.Socket.Path != "" {
		opt.Handed = &d.left.Server
	}
	server := control.Serve(d.socket, sup, opt)
	d.server = server
	if d.remote != nil {
		server.ServeTCP(d.remote, d.tokens)
		log.Info().Stringer("address", d.remote.Addr()).Msg("the control API is answered over TCP")
	}
	return server
}

// close takes away what nobody serves.
func (d *entrance) close() {
	if d.remote != nil {
		_ = d.remote.Close()
	}
	d.socket.Remove()
}

// accessOf finds the numbers of those who may use the API.
func accessOf(cfg *config.Config) (control.Access, error) {
	var a control.Access
	var err error
	if len(cfg.Access.Read) > 0 {
		if a.Read, err = control.ParseGrant(cfg.Access.Read, numberOf); err != nil {
			return a, err
		}
	}
	if cfg.Access.Write != nil {
		a.Write, err = control.ParseGrant(*cfg.Access.Write, numberOf)
	}
	return a, err
}

// numberOf looks up a user or a group, where workers' are looked up too.
func numberOf(name string, isGroup bool) (int, error) {
	if isGroup {
		id, err := worker.ResolveIdentity("", name, nil)
		if err != nil {
			return 0, err
		}
		return int(id.GID), nil
	}
	id, err := worker.ResolveIdentity(name, "", nil)
	if err != nil {
		return 0, err
	}
	return int(id.UID), nil
}

// accessWords is what a reload compares: the lists and addresses take effect when brood is started anew.
func accessWords(cfg *config.Config) string {
	a := cfg.Access
	words := []string{"read " + strings.Join(a.Read, ","), "tcp " + addressWords(cfg), strconv.FormatBool(a.Remote), a.TokenFile, a.ReadTokenFile}
	if a.Write != nil {
		words = append(words, "write "+strings.Join(*a.Write, ","))
	}
	return strings.Join(words, "; ")
}

// coordinationWords is what a reload compares of what is shared with other supervisors.
func coordinationWords(cfg *config.Config) string {
	c := cfg.Coordination
	if c.Group == "" {
		return ""
	}
	words := []string{c.Group, c.Directory}
	if e := c.Etcd; len(e.Endpoints) > 0 {
		words = append(words, strings.Join(e.Endpoints, ","), e.Prefix, e.CA, e.Cert, e.Key, e.User, e.PasswordFile, c.Lease.String(), strconv.FormatBool(c.KeepIDs))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

func addressWords(cfg *config.Config) string {
	if cfg.Access.TCP.Network == "" {
		return ""
	}
	return cfg.Access.TCP.String()
}
