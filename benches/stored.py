"""A Portico with many stored workloads: how soon it answers, what it weighs idle, and how fast lists are."""

import time
from statistics import median

import seed
from portico import expect
from table import Figure, percentile
from wire import Connection

WORKLOADS = 10_000
STARTS = 10
ROUNDS = 10
# Requests per list and round.
REQUESTS = 100
# How long it is left alone before it is weighed.
IDLE_SECONDS = 5

LISTS = {
    "/workloads": "/workloads",
    "/admin/workloads": "/admin/workloads",
    "/admin/workloads?q=, no match": "/admin/workloads?q=nothing-of-the-kind",
    "/api/v1/workloads?limit=50": "/api/v1/workloads?limit=50",
}


def measure(portico):
    """Expects a stopped Portico in which somebody is signed in and a workload has run."""
    seed.fill(portico.data / "portico.db", WORKLOADS)
    starts = []
    for _ in range(STARTS):
        portico.stop()
        began = time.perf_counter()
        portico.start()
        portico.wait(pause=0.001)
        starts.append((time.perf_counter() - began) * 1e3)
    yield Figure("start: process to first answer, 10,000 stored, median", median(starts), "ms", most=200)
    used = portico.cpu()
    time.sleep(IDLE_SECONDS)
    yield Figure("idle: memory of the hub, 10,000 stored", portico.resident(), "MB", most=40)
    yield Figure("idle: CPU of the hub", (portico.cpu() - used) / IDLE_SECONDS * 1e3, "ms/s")
    yield from lists(portico)
    yield Figure("after the lists: memory of the hub", portico.resident(), "MB")


def lists(portico):
    times, cpu = {name: [] for name in LISTS}, dict.fromkeys(LISTS, 0.0)
    with Connection(portico.port, portico.host) as connection:
        for _ in range(ROUNDS):
            for name, path in LISTS.items():
                used = portico.cpu()
                times[name] += [once(portico, connection, path) for _ in range(REQUESTS)]
                cpu[name] += portico.cpu() - used
    for name, taken in times.items():
        yield Figure(f"{name}: median", median(taken) * 1e3, "ms")
        yield Figure(f"{name}: p99", percentile(taken, 99) * 1e3, "ms")
        yield Figure(f"{name}: CPU per request", cpu[name] / len(taken) * 1e6, "us")


def once(portico, connection, path):
    who = portico.token if path.startswith("/api/") else portico.cookie
    began = time.perf_counter()
    answer = connection.ask("GET", path, who)
    taken = time.perf_counter() - began
    expect(answer, 200)
    return taken
