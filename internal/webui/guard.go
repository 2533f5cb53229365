package webui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// headers are in every answer. The page consists of files of its own origin alone, and nobody may frame it, post forms from it,
// or learn from where somebody came.
func headers() map[string]string {
	return map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	}
}

// guard is in front of everything.
type guard struct{ hosts hosts }

// page guards what shows nothing of this supervisor: a link from elsewhere may lead here.
func (g guard) page(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers() {
			w.Header().Set(name, value)
		}
		if !g.hosts.include(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "wrong_host",
				fmt.Sprintf("this page is not called %q: use an address, or add the name to http_hosts", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// api guards what tells or changes something: pages of other origins are refused.
func (g guard) api(next http.Handler) http.Handler {
	return g.page(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sameOrigin(r) {
			refuse(w, http.StatusForbidden, "cross_origin", "a page of another origin asked")
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// sameOrigin reports whether a request is of our own page, or of no browser. Browsers say Sec-Fetch-Site to those they trust
// (https, and loopback), and to all others Origin, with everything but simple reading, which they then do not show to the page
// that asked. "none" is somebody who typed the address.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin":
	case "none":
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	default:
		return false
	}
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	origin, err := url.Parse(origins[0])
	// The scheme is not compared: a proxy may speak TLS.
	return err == nil && len(origins) == 1 && origin.Host != "" && origin.Host == r.Host
}

// refuse answers as the API does.
func refuse(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]string{"error": text, "code": code})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that left needs no answer
}
