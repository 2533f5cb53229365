package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/nftables"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
)

// loadTime is how long nft may take. It waits for other transactions.
const loadTime = 10 * time.Second

// followNft keeps loaded rules in step with a supervisor, until it ends or somebody ends us. The rules stay as they are then.
func followNft(c *cli.Context, cfg *config.Config) error {
	if c.Bool("install") || c.String("output-dir") != "" {
		return usage("it loads them itself", "--follow goes without --install and --output-dir")
	}
	client, err := supervisorOf(c, cfg)
	if err != nil {
		return err
	}
	format, err := outputFormat(c)
	if err != nil {
		return err
	}
	show := func(l *loadedTurns) error { _, err := fmt.Fprintln(c.App.Writer, text.Neutral(l.String())); return err }
	if format == formatJSON {
		show = func(l *loadedTurns) error { return json.NewEncoder(c.App.Writer).Encode(l) }
	}
	f := &follower{show: show, cfg: cfg, table: c.String("table"), reread: func() (*config.Config, error) {
		cfg, _, err := readElsewhere(c)
		return cfg, err
	}}
	return follow(c, func(ctx context.Context) error {
		for snap, err := range client.Watch(ctx) {
			if err != nil {
				return err
			}
			if err := f.see(ctx, &snap); err != nil {
				return err
			}
		}
		return nil
	})
}

// supervisorOf is the one that runs a configuration, if no other one is named.
func supervisorOf(c *cli.Context, cfg *config.Config) (*control.Client, error) {
	switch {
	case c.IsSet("control") || c.IsSet("name"):
	case cfg.Control != "":
		return control.NewClient(cfg.Control), nil
	default:
		if err := c.Set("name", cfg.Name); err != nil {
			return nil, err
		}
	}
	return target(c)
}

// follower has loaded rules.
type follower struct {
	show   func(*loadedTurns) error
	table  string
	cfg    *config.Config
	reread func() (*config.Config, error)
	loaded time.Time // when the supervisor read its configuration
	// What the rules in the kernel come from; no configuration if they are not there yet.
	last *config.Config
	was  nftables.Options
}

// see loads other rules if the slots that serve are other ones.
func (f *follower) see(ctx context.Context, snap *supervisor.Snapshot) error {
	if snap.State == supervisor.StateStopping {
		return nil // who is served last is still served where it is
	}
	if first := f.loaded.IsZero(); !snap.Config.Loaded.Equal(f.loaded) {
		f.loaded = snap.Config.Loaded
		if !first {
			cfg, err := f.reread()
			if err != nil {
				return err
			}
			f.cfg = cfg
		}
	}
	is := nftables.Options{Table: f.table, Now: turnsNow(f.cfg, snap)}
	rules, err := f.changes(is)
	if err != nil || rules == "" {
		return err
	}
	if err := loadRules(ctx, rules); err != nil {
		return err
	}
	f.last, f.was = f.cfg, is
	return f.say(is.Now)
}

// changes are the rules that lead to what is, beside those that are in the kernel.
func (f *follower) changes(is nftables.Options) (string, error) {
	if f.last == nil {
		return nftables.Render(f.cfg, is)
	}
	return nftables.Update(f.last, f.was, f.cfg, is)
}

// turnsNow says which slots of the per-slot listeners take connections.
func turnsNow(cfg *config.Config, snap *supervisor.Snapshot) map[string]nftables.Turns {
	now := map[string]nftables.Turns{}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		turns := nftables.Turns{Slots: p.Desired}
		for _, w := range p.Workers { // they are in the order of the slots
			if w.Ready && w.Slot < p.Desired && !slices.Contains(turns.Serving, w.Slot) {
				turns.Serving = append(turns.Serving, w.Slot)
			}
		}
		for _, l := range p.Listeners {
			if l.Mode == listener.PerSlot.String() && isPublic(cfg, l.Name) {
				now[l.Name] = turns
			}
		}
	}
	return now
}

func isPublic(cfg *config.Config, name string) bool {
	return slices.ContainsFunc(cfg.Listeners, func(l config.Listener) bool { return l.Name == name && l.Public != 0 })
}

// loadedTurns is what is said of a listener whose rules were loaded.
type loadedTurns struct {
	Listener string `json:"listener"`
	Public   int    `json:"public"`
	Slots    int    `json:"slots"`
	Serving  []int  `json:"serving"` // if there is none, all slots have their turns
}

func (l *loadedTurns) String() string {
	if len(l.Serving) == 0 {
		return fmt.Sprintf("%s: port %d leads to all %d slots, since none serves", l.Listener, l.Public, l.Slots)
	}
	return fmt.Sprintf("%s: port %d leads to slots %s of %d", l.Listener, l.Public, strings.Trim(fmt.Sprint(l.Serving), "[]"), l.Slots)
}

// say tells what is loaded. Listeners whose workers share a port are not told of: their rules stay as they are.
func (f *follower) say(now map[string]nftables.Turns) error {
	for i := range f.cfg.Listeners {
		l := &f.cfg.Listeners[i]
		turns, ok := now[l.Name]
		if !ok {
			continue
		}
		if err := f.show(&loadedTurns{l.Name, l.Public, turns.Slots, append([]int{}, turns.Serving...)}); err != nil {
			return err
		}
	}
	return nil
}

// loadRules changes the table in one transaction.
func loadRules(ctx context.Context, rules string) error {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(rules), &said, &said
	switch err := cmd.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return &userError{code: exitFailed, err: fmt.Errorf("cannot load rules: %w", err), hint: "install nftables"}
	case err != nil:
		why, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return &userError{code: exitFailed, err: fmt.Errorf("cannot load rules: nft: %s: %w", why, err), hint: "nft needs root, or CAP_NET_ADMIN"}
	}
	return nil
}
