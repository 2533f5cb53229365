"""A server with the contract of BanGUI's backend, for the test of this example.

What it keeps of the real one: FastAPI, the scheduler's lock in SQLite with heartbeat and
TTL, the refusal to start while somebody else has it, the order of what is said and done at
the end, and the three answers of /api/v1/health. There is no ban in it.

Times may be shortened by variables, and those who wrote "today" had only one in mind: every
instance wants the lock. leading.py is what it takes to have many.
"""
import asyncio
import json
import os
import sqlite3
import time

from fastapi import FastAPI, Response

HEARTBEAT = float(os.environ.get("BANGUI_HEARTBEAT_SECONDS", "5"))
TTL = float(os.environ.get("BANGUI_LOCK_TTL_SECONDS", "60"))
DRAIN = float(os.environ.get("BANGUI_SHUTDOWN_TIMEOUT_SECONDS", "25"))
DATABASE = os.environ.get("BANGUI_DATABASE_PATH", "bangui.db")
FAIL2BAN = os.environ.get("BANGUI_FAIL2BAN_SOCKET", "/var/run/fail2ban/fail2ban.sock")
ORIGINS = os.environ.get("BANGUI_CORS_ALLOWED_ORIGINS", "http://localhost:5173")  # empty is none


def log(event, **fields):
    print(json.dumps({"event": event, "pid": os.getpid(), "time": time.time(), **fields}), flush=True)


class Lock:
    """The row that says whose scheduler runs."""

    def __init__(self):
        self.db = sqlite3.connect(DATABASE, timeout=5, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("CREATE TABLE IF NOT EXISTS scheduler_lock (id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER, beat REAL)")

    def acquire(self):
        now = time.time()
        self.db.execute("BEGIN IMMEDIATE")
        row = self.db.execute("SELECT pid, beat FROM scheduler_lock").fetchone()
        if row and now - row[1] < TTL:
            self.db.execute("ROLLBACK")
            log("scheduler_lock_held_by_other_instance", holder=row[0], age_seconds=round(now - row[1], 3))
            return False
        self.db.execute("INSERT OR REPLACE INTO scheduler_lock VALUES (1, ?, ?)", (os.getpid(), now))
        self.db.execute("COMMIT")
        log("scheduler_lock_acquired")
        return True

    def beat(self):
        """False when somebody else has taken it meanwhile."""
        return self.db.execute("UPDATE scheduler_lock SET beat = ? WHERE pid = ?", (time.time(), os.getpid())).rowcount == 1

    def release(self):
        self.db.execute("DELETE FROM scheduler_lock WHERE pid = ?", (os.getpid(),))
        log("scheduler_lock_released")


class Scheduler:
    """Beats, and runs jobs until it is told to stop."""

    def __init__(self):
        self.lock, self.jobs, self.beating = Lock(), set(), None

    def start(self):
        if not self.lock.acquire():
            raise RuntimeError("another instance runs the scheduler: only one may start")
        self.beating = asyncio.create_task(self.beats())

    async def beats(self):
        while True:
            await asyncio.sleep(HEARTBEAT)
            if not self.lock.beat():
                log("scheduler_heartbeat_lost")

    def submit(self, seconds):
        job = asyncio.create_task(asyncio.sleep(seconds))
        self.jobs.add(job)
        job.add_done_callback(self.jobs.discard)

    async def stop(self):
        log("scheduler_stopped_accepting_jobs")
        pending = list(self.jobs)
        log("waiting_for_pending_tasks", count=len(pending))
        late = (await asyncio.wait(pending, timeout=DRAIN))[1] if pending else ()
        for job in late:
            job.cancel()
        if late:
            log("pending_tasks_timeout", cancelled_count=len(late))
        else:
            log("pending_tasks_completed")
        self.beating.cancel()


async def fail2ban():
    """ok, degraded (its answer is not what it should be), or unavailable (none)."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(FAIL2BAN), 2)
        answer = await asyncio.wait_for(reader.read(16), 2)
        writer.close()
    except (OSError, asyncio.TimeoutError):
        return "unavailable"
    return {b"pong": "ok", b"": "unavailable"}.get(answer, "degraded")


def create(schedules):
    """The application; schedules says whether this instance runs the scheduler."""
    scheduler = Scheduler() if schedules else None

    async def startup():
        if scheduler:
            scheduler.start()
        log("bangui_started", scheduler=schedules, cors=[o for o in ORIGINS.split(",") if o])

    async def shutdown():
        log("bangui_shutting_down", timeout_seconds=DRAIN)
        if scheduler:
            await scheduler.stop()
        log("http_session_closed")
        log("external_logging_shutdown_complete")
        if scheduler:
            scheduler.lock.release()
        log("bangui_shut_down")

    app = FastAPI(on_startup=[startup], on_shutdown=[shutdown])

    @app.middleware("http")
    async def who(request, call_next):
        response = await call_next(request)
        response.headers["X-Worker"] = f"pid={os.getpid()}"
        return response

    @app.get("/api/v1/health")
    async def health(response: Response):
        status = await fail2ban()
        if status == "unavailable":
            response.status_code = 503
        return {"status": status}

    @app.post("/api/v1/jobs")
    async def jobs(seconds: float, response: Response):
        """A job for the scheduler; 409 from an instance that has none."""
        if not scheduler:
            response.status_code = 409
        else:
            scheduler.submit(seconds)
        return {"pid": os.getpid()}

    return app


app = create(True)
