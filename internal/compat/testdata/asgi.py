"""A plain ASGI application."""


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b"hello\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
