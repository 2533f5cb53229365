package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Config asks for the configuration that is in force.
func (c *Client) Config(ctx context.Context) (Config, error) {
	var config Config
	resp, err := c.open(ctx, http.MethodGet, PathConfig, http.NoBody)
	if err != nil {
		return config, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return config, refusal(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(&config); err != nil {
		return config, fmt.Errorf("cannot read the configuration of %s: %w", c.path, err)
	}
	return config, nil
}
