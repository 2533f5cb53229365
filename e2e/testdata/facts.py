"""A WSGI application for gunicorn that says what it found."""
import json
import os
import resource
import sys

WORKER = "slot={BROOD_SLOT} id={BROOD_WORKER_ID} generation={BROOD_GENERATION}".format(**os.environ)


def app(environ, start_response):
    umask = os.umask(0)
    os.umask(umask)
    body = json.dumps({
        "pid": os.getppid(), "argv": sys.argv, "env": dict(os.environ), "dir": os.getcwd(), "uid": os.getuid(),
        "gid": os.getgid(), "umask": "%o" % umask, "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[0], "signals": {},
    }).encode()
    start_response("200 OK", [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Worker", f"{WORKER} pid={os.getpid()}"),
    ])
    return [body]
