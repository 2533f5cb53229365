package webui

import (
	"net/http"
)

// maxStreams is how many answers may go on at once: far fewer than the endpoint has connections, which probes need too. A page
// has one, and one more while it shows a log.
const maxStreams = 64

// limitStreams bounds the answers that go on until somebody leaves.
func limitStreams(next http.Handler) http.Handler {
	places := make(chan struct{}, maxStreams)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isStream(r) {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "5")
			refuse(w, http.StatusTooManyRequests, "too_many", "too many look at once")
		}
	})
}

// isStream reports whether the answer may take long. The end of an operation can be waited for as well.
func isStream(r *http.Request) bool {
	switch r.URL.Path {
	case "/v1/events", "/v1/watch", "/v1/logs":
		return true
	}
	return r.URL.Query().Has("wait_seconds")
}
