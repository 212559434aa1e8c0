from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

from tests.contract.image_builder.calls import IMAGE_TEMPLATES, document, to_managed_image

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

RUNS = 60
POOL = (os.cpu_count() or 1) + 4
"""Threads that Python's own pool has at most: names and files are looked up there."""


def test_many_runs_need_no_thread_each(raw: RawArm) -> None:
    """Runs are computed: sixty at once begin, go on and end with the threads of one pool."""
    for number in range(RUNS):
        distribute = [to_managed_image(raw.settings.subscription_id, f"i{number}")]
        body = document(raw.settings.subscription_id, distribute=distribute)
        raw.send("PUT", f"{IMAGE_TEMPLATES}/t{number}", body).raise_for_status()
    raw.thread.control.advance(40)
    before = psutil.Process().num_threads()
    for number in range(RUNS):
        raw.send("POST", f"{IMAGE_TEMPLATES}/t{number}/run").raise_for_status()
    raw.thread.control.advance(300)
    assert psutil.Process().num_threads() <= before + POOL
    raw.thread.control.advance(300)
    states, link = [], IMAGE_TEMPLATES
    while link:
        answer = raw.send("GET", link).json()
        states += [item["properties"]["lastRunStatus"]["runState"] for item in answer["value"]]
        link = answer.get("nextLink", "")
    assert states == ["Succeeded"] * RUNS
