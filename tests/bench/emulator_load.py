"""How an emulator bears ten thousand image templates and a thousand runs at once."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.contract.image_builder.calls import IMAGE_TEMPLATES, document, to_managed_image
from tests.served import Served, served

IMAGE_TEMPLATE_COUNT = 10_000
RUN_COUNT = 1_000
LOOKS = 2_000
CLIENTS = 4
TIME_SCALE = 10
LOOKS_FOR_A_PAGE = 20
RUN_SECONDS = 900
"""Longer than a run takes."""


@dataclass(frozen=True)
class LoadCost:
    """Hold what was measured.

    :param put: image templates that were put, by four clients, each second
    :param idle_looks: seconds of each GET of an image template before the runs
    :param looks: seconds of each GET of an image template, while the runs went on
    :param pages: seconds of each page of the list of all, while the runs went on
    :param states: how the runs ended
    :param run: real seconds from the start of the runs to the end of the last
    :param memory: bytes of the emulator's process at the end
    :param threads: threads of the emulator's process while the runs went on
    """

    put: float
    idle_looks: list[float]
    looks: list[float]
    pages: list[float]
    states: set[str]
    run: float
    memory: int
    threads: int


def measure_load(image_templates: int = IMAGE_TEMPLATE_COUNT, runs: int = RUN_COUNT, looks: int = LOOKS) -> LoadCost:
    """Put image templates, run some of them all at once, and look meanwhile."""
    with tempfile.TemporaryDirectory() as name, served(Path(name), "--vhd-size-mib", "1") as emulator:
        emulator.control.set_scale(0)
        process = psutil.Process(emulator.process.pid)
        put = _put_all(emulator, image_templates)
        idle_looks = [_timed(emulator, _path(number * 7 % image_templates)) for number in range(looks)]
        for number in range(runs):
            emulator.send("POST", f"{_path(number)}/run")
        started = time.perf_counter()
        emulator.control.set_scale(TIME_SCALE)
        seen, pages, threads = _watched(emulator, image_templates, runs)
        run = time.perf_counter() - started
        _settled(emulator, RUN_SECONDS)
        states = {_run_state(emulator, number) for number in range(runs)}
        return LoadCost(put, idle_looks, seen, pages, states, run, process.memory_info().rss, threads)


def slow(seconds: list[float]) -> float:
    """Return what 99 of 100 stay below."""
    return statistics.quantiles(seconds, n=100)[-1]


def _path(number: int) -> str:
    return f"{IMAGE_TEMPLATES}/load-{number}"


def _put_all(emulator: Served, count: int) -> float:
    """Put image templates, let all of them be created, and return how many were put in a second."""
    clients = [Served(emulator.process, emulator.environment) for _ in range(CLIENTS)]
    started = time.perf_counter()

    def put(client: int) -> None:
        for number in range(client, count, CLIENTS):
            distribute = [to_managed_image(emulator.subscription_id, f"load-{number}")]
            clients[client].send("PUT", _path(number), document(emulator.subscription_id, distribute=distribute))

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(put, range(CLIENTS)))
    rate = count / (time.perf_counter() - started)
    _settled(emulator, 60)
    return rate


def _settled(emulator: Served, seconds: float) -> None:
    """Put the clock forward, and wait until everything due has happened, however long that takes."""
    url = f"{emulator.environment['AIB_EMULATOR_CONTROL']}/clock/advance"
    emulator.session.post(url, json={"seconds": seconds}, timeout=None).raise_for_status()


def _timed(emulator: Served, path: str) -> float:
    started = time.perf_counter()
    emulator.send("GET", path)
    return time.perf_counter() - started


def _watched(emulator: Served, image_templates: int, runs: int) -> tuple[list[float], list[float], int]:
    """Look again and again until no run goes on; return how long each look and each page took, and the most threads."""
    process, numbers = psutil.Process(emulator.process.pid), itertools.count()
    looks, pages, link, threads = [], [], IMAGE_TEMPLATES, 0
    while any(_run_state(emulator, number) == "Running" for number in (0, runs // 2, runs - 1)):
        looks += [_timed(emulator, _path(next(numbers) * 7 % image_templates)) for _ in range(LOOKS_FOR_A_PAGE)]
        started = time.perf_counter()
        answer = emulator.send("GET", link).json()
        pages.append(time.perf_counter() - started)
        link = answer.get("nextLink", IMAGE_TEMPLATES)
        threads = max(threads, process.num_threads())
    return looks, pages, threads


def _run_state(emulator: Served, number: int) -> str:
    properties = emulator.send("GET", _path(number)).json()["properties"]
    return str(properties["lastRunStatus"]["runState"])
