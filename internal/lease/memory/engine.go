package memory

import "github.com/broodctl/brood/internal/lease/remote"

// Engine is one over this client, by the clock of the server.
func (c *Client) Engine(cfg remote.Config) (*remote.Engine, error) {
	cfg.Clock = c.Clock()
	return remote.New(c, cfg)
}
