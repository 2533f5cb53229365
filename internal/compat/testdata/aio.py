"""aiohttp on the socket that it is given."""
import socket

from aiohttp import web


async def hello(request):
    return web.Response(text="hello\n")

app = web.Application()
app.router.add_get("/", hello)
web.run_app(app, sock=socket.socket(fileno=3), print=None)
