from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aib_emulator.services.compute.replication import (
    PER_REGION,
    PUBLISHING,
    completion,
    copies_between,
    next_copies,
    plan_copies,
    replication_status,
)

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_regions_follow_one_another() -> None:
    """The first region waits for the publishing, each further one for the region before it."""
    west, east = plan_copies(["West US", "East US"], START)
    assert west.completed == START + PUBLISHING + PER_REGION
    assert east.started == west.completed
    assert east.completed == west.completed + PER_REGION


def test_copies_can_be_laid_before_an_instant() -> None:
    """The last region is there at that instant, each before it a minute earlier, none before the start."""
    end = START + 3 * PER_REGION
    first, second = copies_between(["West US", "East US"], START, end)
    assert [(copy.started, copy.completed) for copy in (first, second)] == [
        (START, START + 2 * PER_REGION),
        (START + 2 * PER_REGION, end),
    ]
    at_once = copies_between(["West US", "East US"], START, START)
    assert {(copy.started, copy.completed) for copy in at_once} == {(START, START)}
    assert copies_between([], START, end) == []


def test_status_in_between_tells_each_region() -> None:
    """While copies go on, the whole is in progress and each region says how far it is."""
    copies = plan_copies(["West US", "East US"], START)
    status = replication_status(copies, copies[0].completed + PER_REGION / 2)
    assert status["aggregatedState"] == "InProgress"
    assert status["summary"] == [
        {"region": "West US", "state": "Completed", "details": "", "progress": 100},
        {"region": "East US", "state": "Replicating", "details": "", "progress": 50},
    ]


def test_status_at_the_end_is_completed() -> None:
    """Once the last region has its copy, the whole is completed."""
    copies = plan_copies(["West US"], START)
    assert replication_status(copies, completion(copies, START))["aggregatedState"] == "Completed"
    assert replication_status(copies_between(["West US"], START, START), START)["aggregatedState"] == "Completed"


def test_new_region_begins_now_and_known_ones_go_on() -> None:
    """A change of the regions leaves the copies that there are, in the new order."""
    known = {copy.region: copy for copy in copies_between(["West US", "East US"], START, START)}
    later = START + timedelta(hours=1)
    added, kept = next_copies(known, ["North Europe", "West US"], later)
    assert kept is known["West US"]
    assert (added.started, added.completed) == (later, later + PER_REGION)
