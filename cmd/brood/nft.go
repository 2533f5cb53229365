package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/nftables"
)

// rulesHome holds files that /etc/nftables.conf includes.
const rulesHome = "/etc/nftables.d"

func nftCommand() *cli.Command {
	return &cli.Command{
		Name:  "nft",
		Usage: "print nftables rules from the public ports of a configuration to its listeners, or install them",
		Flags: installFlags(
			boolFlag("follow", "load the rules and keep them in step: slots that do not serve get no connections", "f"),
			stringFlag("name", "", "with --follow: `NAME` of the supervisor; default: that of the configuration"),
			stringFlag("control", "", "with --follow: `PATH` of its control socket"),
			stringFlag("table", "", "`NAME` of the table; default: brood- and the supervisor's name"),
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg, _, err := readElsewhere(c)
			if err != nil {
				return err
			}
			if c.Bool("follow") {
				return followNft(c, cfg)
			}
			text, err := nftables.Render(cfg, nftables.Options{Table: c.String("table")})
			if err != nil {
				return err
			}
			name := "brood-" + cfg.Name + ".nft"
			in := &installer{home: rulesHome, files: []wanted{{name, text}}, after: func([]string) []string {
				return []string{
					"nft -f " + filepath.Join(rulesHome, name),
					`include "` + rulesHome + `/*.nft"   # in /etc/nftables.conf, for the next boot`,
					"systemctl enable nftables.service",
				}
			}}
			return in.run(c, func(w io.Writer) { _, _ = fmt.Fprint(w, text) })
		},
	}
}
