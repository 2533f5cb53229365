package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Pools is the answer of PathPools.
type Pools struct {
	Pools []supervisor.PoolView `json:"pools"`
}

// Workers is the answer of PathWorkers.
type Workers struct {
	Workers []Worker `json:"workers"`
}

// Worker is one of a snapshot, with its pool.
type Worker struct {
	Pool string `json:"pool"`
	supervisor.WorkerView
}

// Config is the answer of PathConfig: what is in force, with every default written down and without secrets.
type Config struct {
	File   string          `json:"file"` // "" if it came from flags
	Loaded time.Time       `json:"loaded"`
	Config json.RawMessage `json:"config"` // the tables of brood.toml(5)
}

func (a *api) pools(w http.ResponseWriter, _ *http.Request) {
	pools := a.sup.Measured().Pools
	if pools == nil {
		pools = []supervisor.PoolView{}
	}
	answer(w, http.StatusOK, Pools{Pools: pools})
}

func (a *api) pool(w http.ResponseWriter, r *http.Request) {
	snap, name := a.sup.Measured(), r.PathValue("pool")
	for i := range snap.Pools {
		if snap.Pools[i].Name == name {
			answer(w, http.StatusOK, snap.Pools[i])
			return
		}
	}
	refuse(w, http.StatusNotFound, CodeNoPool, noPool(&snap, name))
}

func noPool(snap *supervisor.Snapshot, name string) string {
	return fmt.Sprintf("no such pool: %q (there is: %s)", name, strings.Join(poolNames(snap), ", "))
}

func poolNames(snap *supervisor.Snapshot) []string {
	names := make([]string, len(snap.Pools))
	for i := range snap.Pools {
		names[i] = snap.Pools[i].Name
	}
	return names
}

// workers lists those of the pools, slots and states that are asked for, each any number of times; all without them.
func (a *api) workers(w http.ResponseWriter, r *http.Request) {
	query, snap := r.URL.Query(), a.sup.Measured()
	for _, name := range query["pool"] {
		if !slices.Contains(poolNames(&snap), name) {
			refuse(w, http.StatusNotFound, CodeNoPool, noPool(&snap, name))
			return
		}
	}
	var slots []int
	for _, word := range query["slot"] {
		slot, err := strconv.Atoi(word)
		if err != nil || slot < 0 {
			refuse(w, http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("cannot read slot %q: it is a number from 0", word))
			return
		}
		slots = append(slots, slot)
	}
	found := Workers{Workers: []Worker{}}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		if !wants(query["pool"], p.Name) {
			continue
		}
		for j := range p.Workers {
			if wants(slots, p.Workers[j].Slot) && wants(query["state"], p.Workers[j].State) {
				found.Workers = append(found.Workers, Worker{Pool: p.Name, WorkerView: p.Workers[j]})
			}
		}
	}
	answer(w, http.StatusOK, found)
}

// wants reports whether a value is one of those that were asked for; without any, all are.
func wants[T comparable](asked []T, value T) bool {
	return len(asked) == 0 || slices.Contains(asked, value)
}

// metrics passes on to who counts.
func (a *api) metrics(w http.ResponseWriter, r *http.Request) {
	if a.sources.Metrics == nil {
		refuse(w, http.StatusNotFound, CodeNotFound, "nobody counts")
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	a.sources.Metrics.ServeHTTP(w, r)
}

func (a *api) config(w http.ResponseWriter, _ *http.Request) {
	text := a.sup.Document()
	if len(text) == 0 {
		text = json.RawMessage("{}")
	}
	view := a.sup.Published().Config
	answer(w, http.StatusOK, Config{File: view.File, Loaded: view.Loaded, Config: text})
}
