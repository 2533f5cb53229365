package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/rs/zerolog"
)

const (
	// gatherAge is how long a picture counts for further scrapes: a burst of them costs one, but for writing it.
	gatherAge = time.Second
	// maxScrapes may be written at the same time; the next is told to come back.
	maxScrapes = 4
)

// Handler answers /metrics: brood's own, and those of its process and of Go.
func Handler(source Source, log zerolog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewCollector(source), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(&album{gatherer: registry}, promhttp.HandlerOpts{
		ErrorLog:            complaints{log},
		ErrorHandling:       promhttp.ContinueOnError, // what is left is better than nothing at 3 a.m.
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
}

// complaints are what package promhttp has to say.
type complaints struct{ log zerolog.Logger }

// Println is of promhttp.Logger.
func (c complaints) Println(v ...any) {
	c.log.Warn().Interface("err", v).Msg("a scrape of metrics is not whole")
}

// album shares one picture among scrapes that come together, and forgets it soon: that of a thousand workers takes
// megabytes.
type album struct {
	gatherer prometheus.Gatherer

	mu      sync.Mutex
	taken   time.Time
	picture []*dto.MetricFamily
	err     error
}

// Gather is of prometheus.Gatherer. Who comes while a picture is taken waits for it.
func (a *album) Gather() ([]*dto.MetricFamily, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.picture == nil || time.Since(a.taken) > gatherAge {
		a.picture, a.err = a.gatherer.Gather()
		a.taken = time.Now()
		time.AfterFunc(gatherAge, a.forget)
	}
	return a.picture, a.err
}

// forget drops a picture that is too old for anybody.
func (a *album) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.taken) >= gatherAge {
		a.picture = nil
	}
}
