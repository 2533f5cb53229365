"""A server with the contract of the FIRST inference gateway, for the test of this example.

What it keeps of the real one: where its ASGI application is, chat completions that are
posted and answered at once or as a stream of events, /health and /ready, and a log of JSON objects
with asctime, name, levelname and message. Its models say what they are told to. /ws
echoes, and /block does what no handler should: it keeps the event loop for itself.
"""
import asyncio
import json
import logging
import os
import sys
import time

WORKER = b"pid=%d" % os.getpid()


class JSONFormatter(logging.Formatter):
    def format(self, record):
        fields = {"asctime": self.formatTime(record), "name": record.name, "levelname": record.levelname, "message": record.getMessage()}
        return json.dumps(fields)


def logger():
    log, handler = logging.getLogger("gateway"), logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return log


log = logger()


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await echo(receive, send)
    else:
        await http(scope, receive, send)


async def lifespan(receive, send):
    while True:
        event = (await receive())["type"]
        await send({"type": event + ".complete"})
        if event == "lifespan.shutdown":
            log.info("gateway shut down")
            return


async def echo(receive, send):
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif event["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": f"{os.getpid()} {event['text']}"})
        else:
            return


async def http(scope, receive, send):
    headers = dict(scope["headers"])
    body = await read(receive)
    if scope["path"].endswith("/chat/completions"):
        log.info("request %s", headers.get(b"x-request-id", b"-").decode())
        await complete(json.loads(body), send)
        return
    if scope["path"] == "/block":
        time.sleep(float(body))
    await start(send, b"application/json")
    await send({"type": "http.response.body", "body": json.dumps({"status": "ok", "length": len(body)}).encode()})


async def read(receive):
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            return body


async def start(send, kind):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind), (b"x-worker", WORKER)]})


async def complete(question, send):
    """Words with a pause in front of each, in an event of their own if that is wanted."""
    words = [f"word{n}" for n in range(question["max_tokens"])]
    if not question.get("stream"):
        await asyncio.sleep(question["pause"] * len(words))
        await start(send, b"application/json")
        answer = {"choices": [{"message": {"content": word}} for word in words]}
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
        return
    await start(send, b"text/event-stream")
    for word in words:
        await asyncio.sleep(question["pause"])
        event = {"choices": [{"delta": {"content": word}}]}
        await send({"type": "http.response.body", "body": b"data: " + json.dumps(event).encode() + b"\n\n", "more_body": True})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
