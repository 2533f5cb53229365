"""An API with the contract of the inference engine's, for the test of this example."""
import os
import uuid

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from fastapi.responses import PlainTextResponse

from app import engine

app = FastAPI()
models = engine.Registry("api")
state = {"redis": None, "keys": {}, "requests": 0}


@app.on_event("startup")
async def startup():
    state["keys"] = engine.keys()
    state["redis"] = await engine.reach()
    await models.load()


@app.middleware("http")
async def named(request, call_next):
    state["requests"] += 1
    response = await call_next(request)
    response.headers["X-Request-ID"] = request.headers.get("X-Request-ID") or uuid.uuid4().hex
    response.headers["X-Worker"] = f"pid={os.getpid()}"
    return response


def may(scope):
    def check(x_api_key: str = Header("")):
        if scope not in state["keys"].get(x_api_key, ("", ()))[1]:
            raise HTTPException(403 if x_api_key in state["keys"] else 401)

    return Depends(check)


@app.get("/models", dependencies=[may("read_models")])
async def list_models():
    return {"models": sorted(engine.SLA)}


@app.post("/predict", dependencies=[may("predict")])
async def predict(model: str):
    print(model, "begins", flush=True)
    await models.predict(model)
    return {"model": model, "pid": os.getpid()}


@app.post("/jobs", status_code=202, dependencies=[may("predict")])
async def submit(model: str):
    """A job for the queue, in two keys as arq has them: what it is, and that it waits."""
    job = uuid.uuid4().hex
    try:
        async with state["redis"].pipeline() as transaction:
            await transaction.hset(f"job:{job}", "model", model).zadd("queue", {job: 0}).execute()
    except engine.redis.RedisError:
        raise HTTPException(503, "no queue") from None
    return {"job": job}


@app.get("/jobs/{job}", dependencies=[may("predict")])
async def result(job: str, response: Response):
    found = await state["redis"].hgetall(f"job:{job}")
    if not found:
        response.status_code = 404
    return found


@app.get("/metrics", response_class=PlainTextResponse)
async def metrics():
    return f"inference_requests_total {state['requests']}\n"


@app.get("/debug/models")
async def debug():
    return {"pid": os.getpid(), "loaded": sorted(engine.TAKES)}
