from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_copying import LONGEST_LOOK, STALLED_AFTER, wait_for_copy
from airflow_aib.hooks.blob_facts import PAGE_BLOB, BlobFacts, CopyState
from airflow_aib.hooks.copy_progress import CopyProgress, ProgressMeter
from airflow_aib.hooks.storage_address import BlobAddress
from tests.fakes import FakeClock

STEP, STEPS = 1 << 20, 20
SIZE = STEP * STEPS
ADDRESS = BlobAddress("https://a", "images", "disk.vhd")


@dataclass
class FakeCopy:
    """Be a blob that storage copies by itself, step by step.

    :param clock: by which it goes on
    :param step_time: how long a step takes
    :param stops_at: step after which it goes on no more
    :param is_over: whether it comes to its end before it can be ended
    """

    clock: FakeClock
    step_time: timedelta
    stops_at: int = STEPS
    is_over: bool = False
    address: BlobAddress = ADDRESS
    aborts: list[timedelta] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.clock.now()

    async def look(self) -> BlobFacts:
        """Say how far it is."""
        steps = min((self.clock.now() - self.begun) // self.step_time, self.stops_at)
        status = "success" if steps == STEPS else "pending"
        if self.aborts:
            status = "success" if self.is_over else "aborted"
        return BlobFacts(SIZE, '"0x1"', PAGE_BLOB, copy=CopyState("copy", status, steps * STEP))

    async def abort_copy(self, copy_id: str) -> None:
        """End it, and keep when that was."""
        assert copy_id == "copy"
        self.aborts.append(self.clock.now() - self.begun)
        if self.is_over:
            raise ArmRequestError("No", status=409, code="NoPendingCopyOperation")


async def outcome(copy: FakeCopy) -> tuple[str, list[int]]:
    """Wait for a copy, and give how it ended and what was told of it."""
    told = list[CopyProgress]()
    meter = ProgressMeter(told.append, SIZE, 0, copy.clock)
    state = await wait_for_copy(cast("Any", copy), meter, copy.clock)
    assert state is not None
    return state.status, [progress.copied_bytes for progress in told]


async def test_a_copy_that_gets_on_is_never_ended() -> None:
    """However slow it is: what counts is the time since it last got on."""
    copy = FakeCopy(FakeClock(), STALLED_AFTER - timedelta(seconds=2 * LONGEST_LOOK))

    status, told = await outcome(copy)

    assert (status, copy.aborts) == ("success", [])
    assert told == [step * STEP for step in range(STEPS)]


@pytest.mark.parametrize("stops_at", [0, 1, STEPS - 1])
async def test_a_copy_that_stands_still_is_ended(stops_at: int) -> None:
    """Ten minutes after it last got on it is ended, and not much later, wherever it was."""
    copy = FakeCopy(FakeClock(), timedelta(minutes=1), stops_at)

    status, _ = await outcome(copy)

    (ended,) = copy.aborts
    assert status == "aborted"
    assert STALLED_AFTER < ended - stops_at * copy.step_time < STALLED_AFTER + timedelta(seconds=3 * LONGEST_LOOK)


async def test_a_copy_that_ends_by_itself_just_then_is_done() -> None:
    """What was to be ended and has come to its end meanwhile is no error."""
    copy = FakeCopy(FakeClock(), timedelta(minutes=1), stops_at=3, is_over=True)

    status, _ = await outcome(copy)

    assert status == "success"
