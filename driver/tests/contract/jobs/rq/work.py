"""The jobs of the tests, and a worker that waits between taking a job and beginning it."""

import os
import time

from redis import Redis
from rq import Worker

redis = Redis.from_url(os.environ["TIDEGATE_TEST_REDIS"])


def wait_for(key):
    while not redis.exists(key):
        time.sleep(0.02)


def work(number):
    redis.rpush("test:begun", number)
    wait_for("test:release")
    redis.rpush("test:done", number)


class SlowWorker(Worker):
    def dequeue_job_and_maintain_ttl(self, *arguments, **named):
        taken = super().dequeue_job_and_maintain_ttl(*arguments, **named)
        redis.incr("test:taken")
        wait_for("test:begin")
        return taken
