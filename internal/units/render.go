package units

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/broodctl/brood/internal/config"
)

// Options are what the configuration does not say.
type Options struct {
	// Binary is the absolute path of brood.
	Binary string
	// Credentials are the names that LoadCredential= is to give the service: those of the configuration without a path.
	Credentials []string
	// Sockets makes systemd open the addresses that the configuration names, and not only those that it leaves to systemd.
	Sockets bool
	// NotifyReload leaves the reload to systemd 253 and newer, which sends HUP and waits, and does not learn the verdict.
	NotifyReload bool
}

// File is one unit.
type File struct{ Name, Text string }

// Units are the units of one configuration.
type Units struct {
	Files []File   // the service first
	Start []string // what to enable and start, as a shell takes it: the sockets, then the service
	Notes []string // what somebody has to know or do who installs them
}

// Errors of Render, wrapped with what they are about.
var (
	ErrExpress = errors.New("systemd cannot read it from a unit")
	errPath    = errors.New("the service needs to know the path of its configuration file")
	errBinary  = errors.New("the service needs the absolute path of the program")
)

// Render writes the units. cfg.Path has to be absolute.
func Render(cfg *config.Config, opt Options) (Units, error) {
	switch {
	case !filepath.IsAbs(cfg.Path):
		return Units{}, fmt.Errorf("cannot write units: %w", errPath)
	case !filepath.IsAbs(opt.Binary):
		return Units{}, fmt.Errorf("cannot write units: %w", errBinary)
	}
	d := newDraft(cfg, opt)
	sockets := d.sockets()
	files := append([]File{d.service()}, sockets...)
	if err := errors.Join(d.errs...); err != nil {
		return Units{}, fmt.Errorf("cannot write units: %w", err)
	}
	return Units{Files: files, Start: append(d.start, shellWord(files[0].Name)), Notes: d.notes}, nil
}

// draft is what the units have in common while they are written.
type draft struct {
	cfg   *config.Config
	opt   Options
	as    account
	names []string // of the socket units that the service takes its sockets from
	start []string // see Units.Start
	notes []string
	errs  []error
}

func newDraft(cfg *config.Config, opt Options) *draft {
	d := &draft{cfg: cfg, opt: opt}
	d.as = d.account()
	return d
}

func (d *draft) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// value and word are Value and Quote, whose errors are kept for the end.
func (d *draft) value(what, text string) string { return d.keep(what, text, Value) }
func (d *draft) word(what, text string) string  { return d.keep(what, text, Quote) }

func (d *draft) keep(what, text string, write func(string) (string, error)) string {
	written, err := write(text)
	if err != nil {
		d.errs = append(d.errs, fmt.Errorf("%s %q: %w", what, text, err))
	}
	return written
}

// unitName is the name of a unit of this configuration.
func (d *draft) unitName(rest string) string {
	name := Escape(d.cfg.Name) + rest
	if len(name) > maxUnitName {
		d.errs = append(d.errs, fmt.Errorf("unit name %s is longer than %d bytes: %w", name, maxUnitName, ErrExpress))
	}
	return name
}
