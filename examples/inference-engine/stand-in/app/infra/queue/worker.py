"""The queue worker's settings, as arq takes them."""
import os
import socket

from app import engine


async def startup(ctx):
    engine.keys()
    ctx["redis"] = await engine.reach()
    ctx["models"] = engine.Registry("queue")
    await ctx["models"].load()
    if "NOTIFY_SOCKET" in os.environ:  # the models are there: brood may go on
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


async def predict(ctx, model):
    await ctx["models"].predict(model)


class WorkerSettings:
    functions = [predict]
    on_startup = startup
    redis_url = engine.REDIS_URL
    job_timeout = 60
    job_completion_wait = 35  # without it arq cuts jobs at SIGTERM, and they run again
