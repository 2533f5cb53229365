"""What the API and the queue worker have in common: the refusal to start, and the models.

Times that a test shortens are variables: STAND_IN_LOAD, how long the models take to load, and
STAND_IN_HEAVY and STAND_IN_FAST, how long an answer of theirs takes. The slow one takes longer
while there is a file in STAND_IN_HOLD with the name of its program, api or queue.
"""
import asyncio
import os
from urllib.parse import urlsplit

import asyncpg
import redis.asyncio as redis

LOAD = float(os.environ.get("STAND_IN_LOAD", "5"))
DATABASE_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")
HOLD = os.environ.get("STAND_IN_HOLD", "")
SLA = {"heavy_model:v1": 30.0, "fast_model:v1": 2.0}
TAKES = {
    "heavy_model:v1": float(os.environ.get("STAND_IN_HEAVY", "25")),
    "fast_model:v1": float(os.environ.get("STAND_IN_FAST", "0.02")),
}


class Refused(RuntimeError):
    """It does not start, and says why."""


def keys():
    """Who may do what: key:tenant:scope,scope;key:..."""
    text = os.environ.get("API_KEYS", "")
    if os.environ.get("ENV") == "production" and not text:
        raise Refused("ENV=production without API_KEYS")
    parts = [entry.split(":") for entry in text.split(";") if entry]
    return {key: (tenant, scopes.split(",")) for key, tenant, scopes in parts}


async def reach():
    """Both services, if they are set, or nothing: there is no way around them."""
    if DATABASE_URL:
        try:
            connection = await asyncpg.connect(DATABASE_URL, timeout=2)
            await connection.fetchval("SELECT 1")
            await connection.close()
        except (OSError, asyncio.TimeoutError, asyncpg.PostgresError) as error:
            raise Refused(f"DATABASE_URL is set, but {place(DATABASE_URL)} does not answer: {error}") from None
    if REDIS_URL:
        client = redis.from_url(REDIS_URL, decode_responses=True, socket_connect_timeout=2)
        try:
            await client.ping()
        except (OSError, redis.RedisError) as error:
            raise Refused(f"REDIS_URL is set, but {place(REDIS_URL)} does not answer: {error}") from None
        return client
    return None


def place(url):
    """An address without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


class Registry:
    """The models of a process of one program. It holds some memory for them."""

    def __init__(self, program):
        self.hold = os.path.join(HOLD, program)

    async def load(self):
        await asyncio.sleep(LOAD)
        self.weights = bytearray(8 << 20)

    async def predict(self, model):
        await asyncio.wait_for(self.answer(model), SLA[model])

    async def answer(self, model):
        await asyncio.sleep(TAKES[model])
        while HOLD and model == "heavy_model:v1" and os.path.exists(self.hold):
            await asyncio.sleep(0.05)
