package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/units"
)

// unitsHome is where an administrator's units belong; see systemd.unit(5).
const unitsHome = "/etc/systemd/system"

func unitsCommand() *cli.Command {
	return &cli.Command{
		Name:  "units",
		Usage: "print systemd units for a configuration, or install them",
		Flags: installFlags(
			stringFlag("binary", "", "`PATH` of brood in the units; default: the one that runs"),
			boolFlag("sockets", "let systemd open the addresses of the configuration"),
			boolFlag("notify-reload", "for systemd 253 and newer: Type=notify-reload, which waits for a reload and does not tell how it went"),
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			made, err := makeUnits(c)
			if err != nil {
				return err
			}
			in := &installer{home: unitsHome, notes: made.Notes, after: func(existed []string) []string { return afterUnits(made.Start, existed) }}
			for _, f := range made.Files {
				in.files = append(in.files, wanted{f.Name, f.Text})
			}
			return in.run(c, func(w io.Writer) {
				for i, f := range made.Files {
					if i > 0 {
						_, _ = fmt.Fprintln(w)
					}
					_, _ = fmt.Fprintf(w, "# %s\n%s", filepath.Join(unitsHome, f.Name), f.Text)
				}
			})
		},
	}
}

func makeUnits(c *cli.Context) (units.Units, error) {
	cfg, credentials, err := readElsewhere(c)
	if err != nil {
		return units.Units{}, err
	}
	binary := c.String("binary")
	if binary == "" {
		if binary, err = os.Executable(); err != nil {
			return units.Units{}, fmt.Errorf("cannot find own program: %w", err)
		}
	}
	return units.Render(cfg, units.Options{
		Binary: binary, Credentials: credentials, Sockets: c.Bool("sockets"), NotifyReload: c.Bool("notify-reload"),
	})
}

// givenCredentials stands for the folder that systemd makes for the credentials of a unit.
const givenCredentials = "/run/credentials/brood"

// readElsewhere reads the configuration for a service that does not run yet, and may belong to another machine: its users
// need not exist. Nor need the files that it takes variables and secrets from, which nothing here depends on. It returns
// the names of the credentials that systemd is to give.
func readElsewhere(c *cli.Context) (cfg *config.Config, credentials []string, err error) {
	if c.String("config") == "" {
		return nil, nil, usage("brood "+c.Command.Name+" -c brood.toml", "brood %s needs a configuration file", c.Command.Name)
	}
	path, err := filepath.Abs(c.String("config"))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot find configuration: %w", err)
	}
	world := config.Here()
	world.LookupUser = nil
	world.Getenv = func(name string) string {
		if name == "CREDENTIALS_DIRECTORY" {
			return givenCredentials
		}
		return os.Getenv(name)
	}
	world.ReadFile = func(name string) ([]byte, error) {
		if id := filepath.Base(name); filepath.Dir(name) == givenCredentials && !slices.Contains(credentials, id) {
			credentials = append(credentials, id)
		}
		return nil, nil
	}
	cfg, err = loadFile(path, world, os.ReadFile, func(*config.File) {})
	slices.Sort(credentials)
	return cfg, credentials, err
}

// afterUnits says how the units come to life.
func afterUnits(start, existed []string) []string {
	all := strings.Join(start, " ")
	steps := []string{"systemctl daemon-reload", "systemctl enable --now " + all}
	if len(existed) > 0 {
		steps = append(steps, "systemctl restart "+all+"   # what runs keeps its old settings until then")
	}
	return steps
}
