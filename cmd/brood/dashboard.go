package main

import (
	"net"
	"net/http"
	"strings"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/webui"
	"github.com/broodctl/brood/supervisor"
)

// dashboard are the pages for browsers, and the API that they ask.
func dashboard(cfg *config.Config, sup *supervisor.Supervisor, server *control.Server, tokens control.Tokens) map[string]http.Handler {
	opt := webui.Options{
		Last: sup.Events().Last, Off: dashboardOff(cfg), Trusting: cfg.HTTP.Network == "unix",
		Hosts: cfg.HTTPHosts,
	}
	if opt.Off != "" {
		opt.API = server.Web(nil)
		return webui.Pages(opt)
	}
	opt.API = server.Web(&tokens)
	opt.Rights = func(token string) (string, error) {
		rights, err := tokens.Rights(token)
		return string(rights), err
	}
	return webui.Pages(opt)
}

// dashboardOff says why the dashboard can only show; "" if it can do more.
func dashboardOff(cfg *config.Config) string {
	switch {
	case cfg.Access.TokenFile == "":
		return "No token_file is configured."
	case cfg.HTTP.Network == "tcp" && !isLocal(cfg.HTTP.Host) && !cfg.Access.Remote:
		return "A token would go over the network without TLS: http is an address that other machines can reach, and tcp_remote = true is not said."
	}
	return ""
}

// isLocal reports whether only this machine can connect to an address.
func isLocal(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
