"""The gateway, as uvicorn runs it under brood, with two things that it does not do itself.

It tells brood how many requests it has served, for recycle.max_requests. And when it is
told to leave by SIGUSR1 it first ends the kept connections of nginx: each answer asks for
a new one, and those that are idle nginx closes itself, before LEAVE_SECONDS are over and
uvicorn is told. uvicorn alone would close them while a request may be on its way, as it
does after an answer that was streaming by then: those never keep their connection.
"""
import asyncio
import os
import signal
import socket

from inference_gateway.asgi import application as gateway


class Counted:
    def __init__(self):
        self.served, self.leaving = 0, False
        self.address = os.environ.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        self.brood = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.leave)
        if scope["type"] != "http":
            await gateway(scope, receive, send)
            return

        async def answer(event):
            if event["type"] == "http.response.start":
                headers = event.get("headers", [])
                if self.leaving or any(value.startswith(b"text/event-stream") for _, value in headers):
                    event["headers"] = [*headers, (b"connection", b"close")]
            await send(event)

        await gateway(scope, receive, answer)
        self.report()

    def leave(self):
        self.leaving = True
        asyncio.get_running_loop().call_later(float(os.environ["LEAVE_SECONDS"]), os.kill, os.getpid(), signal.SIGTERM)

    def report(self):
        self.served += 1
        try:
            self.brood.sendto(b"BROOD_REQUESTS=%d" % self.served, self.address)
        except OSError:
            pass  # a running total: the next one says it as well


application = Counted()
