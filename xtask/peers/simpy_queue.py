"""The queue in SimPy: a process for each customer, a resource of eight servers."""

import random
import sys
import time

import simpy


def customer(env, servers, draws, waits):
    arrived = env.now
    with servers.request() as turn:
        yield turn
        waits.append(env.now - arrived)
        yield env.timeout(draws.expovariate(1.0))


def arrivals(env, servers, draws, waits, customers):
    for _ in range(customers):
        yield env.timeout(draws.expovariate(6.4))
        env.process(customer(env, servers, draws, waits))


env, waits = simpy.Environment(), []
servers = simpy.Resource(env, capacity=8)
env.process(arrivals(env, servers, random.Random(1), waits, int(sys.argv[1])))
started = time.perf_counter()
env.run()
seconds = time.perf_counter() - started
waits.sort()
print(seconds, sum(waits) / len(waits), waits[len(waits) * 99 // 100])
