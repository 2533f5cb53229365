package webui

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strconv"
)

//go:embed assets
var assets embed.FS

// Options are what the dashboard shows, and whom it lets in.
type Options struct {
	// API serves the control API below /v1/, and knows itself who may ask for what.
	API http.Handler
	// Rights says what a token allows: "write", "read" or "none". Nil if no token is configured.
	Rights func(token string) (string, error)
	// Off says why there are no actions, "" if there are.
	Off string
	// Last is the number of the latest event.
	Last func() uint64
	// Hosts are further names by which the page may be asked for, such as that of a proxy.
	Hosts []string
	// Trusting accepts every name: the listener is a socket that no browser can connect to.
	Trusting bool
}

// Pages are the handlers, by pattern of http.ServeMux.
func Pages(o Options) map[string]http.Handler {
	s := &session{rights: o.Rights, off: o.Off, last: o.Last}
	g := guard{hosts: newHosts(o.Hosts, o.Trusting)}
	api := g.api(limitStreams(o.API))
	return map[string]http.Handler{
		"GET /{$}":           g.page(asset("index.html")),
		"GET /ui/{file}":     g.page(http.HandlerFunc(file)),
		"GET /ui/session":    g.api(s),
		"GET /v1/{path...}":  api,
		"POST /v1/{path...}": api,
	}
}

// file serves what belongs to the page.
func file(w http.ResponseWriter, r *http.Request) { asset(r.PathValue("file")).ServeHTTP(w, r) }

// asset serves one of the embedded files.
func asset(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := contentType(name)
		text, err := fs.ReadFile(assets, path.Join("assets", path.Clean("/"+name)))
		if err != nil || kind == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = w.Write(text) //nolint:gosec // an embedded file; a client that left needs no answer
	})
}

// contentType is that of the files we have; "" for all others. The table of package mime depends on the machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return ""
}
