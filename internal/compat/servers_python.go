package compat

// python are the servers for WSGI and ASGI, and two that are frameworks as well.
func python() []Server {
	gunicorn := Server{
		Package: "gunicorn", Probe: []string{"gunicorn", "--version"},
		Takes: "`LISTEN_FDS`; it wins over `--bind`",
	}
	variant := func(name string, pack string, words ...string) Server {
		s := gunicorn
		s.Name, s.Package = name, "gunicorn"+pack
		s.Command = append([]string{"gunicorn", "-w", "1"}, words...)
		return s
	}
	noted := func(s Server) Server {
		s.Note = "its own reload (HUP) cuts off requests; `--reload roll` has brood replace the workers instead, as in the column of rollouts"
		return s
	}
	return []Server{
		variant("gunicorn, sync", "", "wsgi:app"),
		variant("gunicorn, gthread", "", "-k", "gthread", "--threads", "4", "wsgi:app"),
		variant("gunicorn, gevent", ", python3-gevent", "-k", "gevent", "wsgi:app"),
		noted(variant("gunicorn, eventlet", ", python3-eventlet", "-k", "eventlet", "wsgi:app")),
		noted(variant("gunicorn, uvicorn workers", ", uvicorn", "-k", "uvicorn.workers.UvicornWorker", "asgi:app")),
		{
			Name: "uvicorn", Package: "uvicorn", Probe: []string{"uvicorn", "--version"},
			Takes: "`--fd`", Command: []string{"uvicorn", "--fd", "{{.FD.http}}", "--no-access-log", "asgi:app"},
		},
		{
			Name: "uvicorn, two processes", Package: "uvicorn", Probe: []string{"uvicorn", "--version"},
			Takes:   "`--fd`",
			Command: []string{"uvicorn", "--workers", "2", "--fd", "{{.FD.http}}", "--no-access-log", "asgi:app"},
			Note:    "the leading process ends before the others, for which brood waits",
		},
		{
			Name: "hypercorn", Package: "python3-hypercorn", Probe: pythonVersion("hypercorn"),
			Takes: "`-b fd://3`", Command: []string{"hypercorn", "-b", "fd://{{.FD.http}}", "asgi:app"},
		},
		{
			Name: "daphne", Package: "python3-daphne", Probe: pythonVersion("daphne"),
			Takes: "`--fd`", Command: []string{"python3", "-m", "daphne", "--fd", "{{.FD.http}}", "asgi:app"},
		},
		{
			Name: "uWSGI", Package: "uwsgi-core, uwsgi-plugin-python3", Probe: []string{"uwsgi-core", "--version"},
			Takes: "`--http-socket fd://3`",
			Command: []string{
				"uwsgi-core", "--plugin", "python3", "--http-socket", "fd://{{.FD.http}}", "--master", "--die-on-term",
				"--disable-logging", "--module", "wsgi:app",
			},
			Note: "without `--die-on-term` SIGTERM reloads it",
		},
		{
			Name: "waitress", Package: "python3-waitress", Probe: pythonVersion("waitress"),
			Takes: "`waitress.serve(app, sockets=[…])`", Command: []string{"python3", "waitress_app.py"},
		},
		{
			Name: "twisted web", Package: "python3-twisted", Probe: []string{"twist3", "--version"},
			Takes: "`--listen systemd:domain=INET:index=0`",
			Flags: []string{"-e", "PYTHONPATH=.", "--clean-exit", "TERM", "--grace", "10s"},
			Command: []string{
				"twist3", "web", "--listen", "systemd:domain=INET:index=0", "--wsgi", "wsgi.app",
			},
			Note: "it hangs at its end when a thread of its pool is busy at that moment: a short `--grace` ends that",
		},
		{
			Name: "aiohttp", Package: "python3-aiohttp", Probe: pythonVersion("aiohttp"),
			Takes: "`web.run_app(app, sock=…)`", Command: []string{"python3", "aio.py"},
		},
		{
			Name: "tornado", Package: "python3-tornado", Probe: pythonVersion("tornado"),
			Takes: "`HTTPServer.add_socket(…)`", Command: []string{"python3", "tornado_app.py"},
		},
	}
}

// pythonVersion asks for the version of a distribution, which most programs do not tell.
func pythonVersion(name string) []string {
	return []string{"python3", "-c", "from importlib.metadata import version; print(version('" + name + "'))"}
}
