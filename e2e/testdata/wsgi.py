"""A plain WSGI application for gunicorn."""
import os

WORKER = "slot={BROOD_SLOT} id={BROOD_WORKER_ID} generation={BROOD_GENERATION}".format(**os.environ)


def app(environ, start_response):
    body = b"hello from gunicorn\n"
    start_response("200 OK", [
        ("Content-Type", "text/plain"),
        ("Content-Length", str(len(body))),
        ("X-Worker", f"{WORKER} pid={os.getpid()}"),
    ])
    return [body]
