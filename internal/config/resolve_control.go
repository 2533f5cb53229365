package config

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/broodctl/brood/listener"
)

// Access is who may use the API, and where.
type Access struct {
	Read  []string         // users, and groups with @ in front
	Write *[]string        // nil is the socket's group
	TCP   listener.Address // without a network there is none
	// TokenFile and ReadTokenFile are absolute paths, "" if there is none.
	TokenFile     string
	ReadTokenFile string
	Remote        bool // tokens may be sent from other machines; there is no TLS
}

// control reads where the API is, and who may use it.
func (r *resolver) control(table string, t ControlTable) {
	key := under(table, "path")
	if r.doc == nil || !r.says(key) {
		key = table // written as a string, or a flag
	}
	if t.Path != "" && !filepath.IsAbs(t.Path) && r.doc != nil {
		r.bad(key, "", "cannot read %s %q: the path is not absolute", r.name(key), t.Path)
	}
	r.cfg.Control = t.Path
	a := &r.cfg.Access
	a.Read, a.Write = t.Read, t.Write
	r.accounts(under(table, "read"), t.Read)
	if t.Write != nil {
		r.accounts(under(table, "write"), *t.Write)
	}
	a.Remote = t.TCPRemote
	r.tcp(table, t)
	a.TokenFile = r.credentialFile(under(table, "token_file"), t.TokenFile)
	a.ReadTokenFile = r.credentialFile(under(table, "read_token_file"), t.ReadTokenFile)
}

// accounts reads users, and groups with @ in front.
func (r *resolver) accounts(key string, words []string) {
	for i, word := range words {
		name, isGroup := strings.CutPrefix(word, "@")
		var err error
		switch known := r.world.LookupUser; {
		case name == "" || strings.ContainsAny(name, "@: \t\n"):
			r.bad(item(key, i), "", "cannot read %q: write a user, or a group as @NAME", word)
		case digits(name) && len(name) < 10 || known == nil:
		case isGroup:
			if err = known("", name); err != nil {
				r.bad(item(key, i), hintOf(err), "there is no group %q", name)
			}
		default:
			if err = known(name, ""); err != nil {
				r.bad(item(key, i), hintOf(err), "there is no user %q", name)
			}
		}
	}
}

var errNotTCP = errors.New("it is a port, or an address such as 127.0.0.1:9181")

// tcp reads where else the API is answered. Never without a token, and only by mistake where others can connect to it.
func (r *resolver) tcp(table string, t ControlTable) {
	key := under(table, "tcp")
	if t.TCP == "" && r.cfg.HTTP.Network != "" {
		r.dashboard(table, t)
		return
	}
	if t.TCP == "" {
		for name, said := range map[string]bool{"token_file": t.TokenFile != "", "read_token_file": t.ReadTokenFile != "", "tcp_remote": t.TCPRemote} {
			if said {
				r.bad(under(table, name), "say where with tcp = "+quote("127.0.0.1:9181")+", or with http of [supervisor]",
					"%s means nothing without tcp, or http of [supervisor]", name)
			}
		}
		return
	}
	address, err := parseHTTP(t.TCP)
	if err == nil && address.Network != "tcp" {
		err = errNotTCP
	}
	switch {
	case err != nil:
		r.bad(key, "", "cannot read tcp: %v", err)
	case t.TokenFile == "":
		r.bad(key, "write token_file = "+quote("api-token")+", and put a secret of 16 characters or more into that file of $CREDENTIALS_DIRECTORY",
			"everybody on this machine could use tcp: there is no token_file")
	case !t.TCPRemote && !isLoopback(address.Host):
		r.bad(key, "write tcp = "+quote("127.0.0.1:"+lastField(t.TCP))+", or tcp_remote = true if that is meant: there is no TLS",
			"tcp is an address that others than this machine can reach")
	default:
		r.cfg.Access.TCP = address
	}
}

// dashboard is for tokens that are for the page of http alone.
func (r *resolver) dashboard(table string, t ControlTable) {
	if t.ReadTokenFile != "" && t.TokenFile == "" {
		r.bad(under(table, "read_token_file"), "", "read_token_file means nothing without token_file")
	}
}

func lastField(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// credentialFile finds a file of $CREDENTIALS_DIRECTORY, or an absolute path.
func (r *resolver) credentialFile(key, word string) string {
	if word == "" {
		return ""
	}
	path, err := credentialPath(r.world, word)
	if err != nil {
		r.bad(key, "", "%v", err)
	}
	return path
}
