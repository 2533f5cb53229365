package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor"
)

// Fleets is the answer of PathFleets.
type Fleets struct {
	Fleets []fleet.View `json:"fleets"`
}

func (a *api) fleets(w http.ResponseWriter, r *http.Request) {
	if views, ok := a.askFleets(w, r, ""); ok {
		answer(w, http.StatusOK, Fleets{Fleets: views})
	}
}

func (a *api) fleet(w http.ResponseWriter, r *http.Request) {
	if views, ok := a.askFleets(w, r, r.PathValue("fleet")); ok {
		answer(w, http.StatusOK, views[0])
	}
}

// askFleets answers itself where there is nothing to be had. A few ask at a time: what they want is often far away.
func (a *api) askFleets(w http.ResponseWriter, r *http.Request, name string) ([]fleet.View, bool) {
	place := a.brief.of(callerIn(r.Context()))
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
	case <-r.Context().Done():
		return nil, false
	}
	views, err := a.sup.Fleets(r.Context(), name)
	if err != nil {
		a.tell(w, supervisor.Verdict{Err: err}, "")
		return nil, false
	}
	return views, true
}

// Fleets asks how the fleets stand that the supervisor's pools take turns with; the one of a name, or all of them if that is
// empty.
func (c *Client) Fleets(ctx context.Context, name string) ([]fleet.View, error) {
	path := PathFleets
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	resp, err := c.open(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp)
	}
	var all Fleets
	if name == "" {
		err = json.NewDecoder(resp.Body).Decode(&all)
	} else {
		all.Fleets = make([]fleet.View, 1)
		err = json.NewDecoder(resp.Body).Decode(&all.Fleets[0])
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the fleets of %s: %w", c.path, err)
	}
	return all.Fleets, nil
}
