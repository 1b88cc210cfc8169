"""The application of the staging stack: a health check, work of a given length, and jobs."""

import hashlib
import os
import time
from urllib.parse import parse_qs

from redis import Redis
from rq import Queue

SERVER = os.environ["SERVER"]
SHARED = os.path.join(os.environ["STORAGE"], "shared.txt")
REDIS = Redis(host=os.environ["REDIS"], socket_timeout=5, socket_connect_timeout=2)
BLOCK = bytes(16384)
# Of a request that ends without an answer, nobody else knows who had it.
TOOK = open(os.environ["TOOK"], "ab", buffering=0)


def burn(milliseconds):
    """Keeps a core busy for so long, as this thread's own clock counts it."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        hashlib.sha256(BLOCK)


def spend(cpu, wait):
    burn(cpu)
    time.sleep(wait / 1000)


def note(key, number):
    """Writes who has come so far with a job, and when, for whoever judges the run."""
    REDIS.rpush(key, f"{number} {SERVER} {time.time_ns()}")


def job(number, cpu, wait):
    """A background job of so many milliseconds."""
    note("staging:started", number)
    spend(cpu, wait)
    note("staging:done", number)


def health(_):
    try:
        REDIS.ping()
        with open(SHARED, encoding="utf-8") as shared:
            shared.read()
    except Exception as why:
        return "503 Service Unavailable", f"{why}\n"
    return "200 OK", "ready\n"


def work(asked):
    spend(asked("cpu"), asked("wait"))
    return "200 OK", "done\n"


def enqueue(asked):
    """Enqueues a job first and answers after the request's own work."""
    Queue(connection=REDIS).enqueue(
        "app.job", int(asked("id")), asked("jobcpu"), asked("jobwait"),
        job_timeout=600, result_ttl=60, failure_ttl=600,
    )
    return work(asked)


def ping(_):
    return "200 OK", "pong\n"


PAGES = {
    ("GET", "/ping"): ping,
    ("GET", "/health"): health,
    ("GET", "/work"): work,
    ("POST", "/enqueue"): enqueue,
}


def application(environ, start_response):
    if number := environ.get("HTTP_X_REQUEST"):
        TOOK.write(f"{number}\n".encode())
    query = parse_qs(environ.get("QUERY_STRING", ""))
    page = PAGES.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
    if page is None:
        status, body = "404 Not Found", "no such page\n"
    else:
        status, body = page(lambda name: float(query.get(name, ["0"])[0]))
    body = body.encode()
    headers = [
        ("Content-Type", "text/plain"),
        ("Content-Length", str(len(body))),
        ("X-Answered-By", SERVER),
    ]
    start_response(status, headers)
    return [body]
