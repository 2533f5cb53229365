package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor/plan"
)

// groupName has no dot, so that the name of a group and that of a pool together are those of no other two.
var groupName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$`)

// keyPrefix is of keys that people can read in a terminal.
var keyPrefix = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)

// lastSharedID is the last worker id of a fleet, where the pool says no others.
const lastSharedID = 1023

// The lease is whole seconds in etcd, which gives none below one and a half times its election timeout.
const (
	leastLease = 2 * time.Second
	mostLease  = 10 * time.Minute
)

// shares reports whether worker ids and leaders are shared with other supervisors.
func (r *resolver) shares() bool {
	return r.file.Coordination.Group != "" || r.doc != nil && r.says("coordination")
}

// coordination reads [coordination].
func (r *resolver) coordination(t CoordinationTable) {
	if !r.shares() {
		return
	}
	const table = "coordination"
	switch key := under(table, "group"); {
	case t.Group == "" && !r.says(key):
		r.bad(table, "write group = "+quote("web")+": all who share say the same", "coordination has no group")
	case !groupName.MatchString(t.Group):
		r.bad(key, "", "cannot call a group %q: use up to 48 letters, digits, and - _", t.Group)
	}
	c := &r.cfg.Coordination
	c.Group, c.Directory = t.Group, t.Directory
	key := under(table, "directory")
	switch {
	case t.Directory != "" && !filepath.IsAbs(t.Directory):
		r.bad(key, "", "cannot read directory %q: the path is not absolute", t.Directory)
	case t.Directory != "" && len(t.Etcd) > 0:
		r.bad(key, "remove it, or etcd", "directory is for supervisors of one machine, and means nothing with etcd")
	}
	if len(t.Etcd) == 0 {
		r.withoutEtcd(table, t)
		return
	}
	r.etcd(table, t)
}

// withoutEtcd reports keys that mean nothing among the supervisors of one machine.
func (r *resolver) withoutEtcd(table string, t CoordinationTable) {
	for _, k := range []struct {
		name string
		said bool
	}{
		{"prefix", t.Prefix != ""},
		{"ca", t.CA != ""},
		{"cert", t.Cert != ""},
		{"key", t.Key != ""},
		{"user", t.User != ""},
		{"password_file", t.PasswordFile != ""},
		{"lease", t.Lease != 0},
		{"on_lost", t.OnLost != ""},
	} {
		if k.said {
			r.bad(under(table, k.name), "say where it is: etcd = ["+quote("https://etcd1:2379")+"]", "%s means nothing without etcd", k.name)
		}
	}
}

// etcd reads where it is, and who we are to it.
func (r *resolver) etcd(table string, t CoordinationTable) {
	c := &r.cfg.Coordination
	c.Etcd = plan.Etcd{
		Endpoints: t.Etcd, Prefix: t.Prefix, User: t.User,
		CA:           r.credentialFile(under(table, "ca"), t.CA),
		Cert:         r.credentialFile(under(table, "cert"), t.Cert),
		Key:          r.credentialFile(under(table, "key"), t.Key),
		PasswordFile: r.credentialFile(under(table, "password_file"), t.PasswordFile),
	}
	secure := r.endpoints(under(table, "etcd"), t.Etcd)
	if t.Prefix != "" && (!keyPrefix.MatchString(t.Prefix) || len(t.Prefix) > 200) {
		r.bad(under(table, "prefix"), "", "cannot use prefix %q: write it like %s", t.Prefix, quote("/brood"))
	}
	for _, pair := range [][4]string{{"cert", t.Cert, "key", t.Key}, {"user", t.User, "password_file", t.PasswordFile}} {
		switch {
		case pair[1] != "" && pair[3] == "":
			r.bad(under(table, pair[0]), "", "%s needs %s beside it", pair[0], pair[2])
		case pair[1] == "" && pair[3] != "":
			r.bad(under(table, pair[2]), "", "%s needs %s beside it", pair[2], pair[0])
		}
	}
	for name, word := range map[string]string{"ca": t.CA, "cert": t.Cert} {
		if word != "" && !secure {
			r.bad(under(table, name), "", "%s means nothing without endpoints that begin with https://", name)
		}
	}
	c.Lease = time.Duration(t.Lease)
	if c.Lease != 0 && (c.Lease < leastLease || c.Lease > mostLease || c.Lease%time.Second != 0) {
		r.bad(under(table, "lease"), "", "lease is whole seconds from %v to %v, not %v", leastLease, Duration(mostLease), c.Lease)
	}
	c.KeepIDs = oneOf(r, under(table, "on_lost"), t.OnLost, map[string]bool{"stop": false, "keep": true})
}

// endpoints reads where the members of etcd are, and reports whether what is said to them is encrypted.
func (r *resolver) endpoints(key string, words []string) (secure bool) {
	for i, word := range words {
		u, err := url.Parse(word)
		switch {
		case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https", u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
			r.bad(item(key, i), "", "cannot read endpoint: write it like %s", quote("https://etcd1:2379"))
		case u.User != nil:
			r.badSecret(item(key, i), "use user and password_file", "cannot use endpoint: it has a user in it")
		case i > 0 && (u.Scheme == "https") != secure:
			r.bad(item(key, i), "", "either all endpoints begin with https:// or none")
		case slices.Contains(words[:i], word):
			r.bad(item(key, i), "", "the endpoint is there twice")
		}
		secure = secure || err == nil && u.Scheme == "https"
	}
	return secure
}

// fleet reads with whom a pool takes turns at rollouts.
func (r *resolver) fleet(table string, t FleetTable) fleet.Config {
	if t == (FleetTable{}) {
		return fleet.Config{}
	}
	table = under(table, "fleet")
	c := fleet.Config{Name: t.Name, StopAfter: *t.StopAfterFailures}
	switch key := under(table, "name"); {
	case t.Name == "" && !r.says(key):
		r.bad(table, "write name = "+quote("web")+": all who take turns say the same", "the fleet has no name")
	case !groupName.MatchString(t.Name):
		r.bad(key, "", "cannot call a fleet %q: use up to 48 letters, digits, and - _", t.Name)
	}
	if !r.shares() {
		r.bad(table, "write [coordination] with a group: that is where supervisors find each other", "fleet needs [coordination]")
	}
	key := under(table, "max_parallel")
	c.MaxParallel, c.ParallelPercent = r.share(key, *t.MaxParallel)
	switch {
	case r.anyIn(key):
	case c.ParallelPercent > 100:
		r.bad(key, "", "cannot read max_parallel %q: no more than 100%% can roll at once", *t.MaxParallel)
	case c.MaxParallel > fleet.MaxMembers:
		r.bad(key, "", "cannot read max_parallel %q: a fleet has at most %d members", *t.MaxParallel, fleet.MaxMembers)
	case c.MaxParallel+c.ParallelPercent == 0:
		r.bad(key, "brood fleet pause "+or(t.Name, "NAME")+" stops all of them", "max_parallel of 0 lets nobody roll")
	}
	if c.StopAfter < 0 {
		r.bad(under(table, "stop_after_failures"), "", "cannot read stop_after_failures %d: it is not negative", c.StopAfter)
	}
	return c
}
