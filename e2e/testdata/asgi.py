"""A plain ASGI application for uvicorn."""
import os

WORKER = "slot={BROOD_SLOT} id={BROOD_WORKER_ID} generation={BROOD_GENERATION}".format(**os.environ)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b"hello from uvicorn\n"
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"text/plain"),
        (b"content-length", str(len(body)).encode()),
        (b"x-worker", f"{WORKER} pid={os.getpid()}".encode()),
    ]})
    await send({"type": "http.response.body", "body": body})
