from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from aib_emulator.control_client import ControlError
from tests.contract.image_builder.calls import NAME, ONE, Builder, document
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud


@pytest.fixture
def builder(cloud: Cloud) -> Builder:
    """Make a client of Image Builder, synchronous and asynchronous in turn."""
    return Builder(cloud)


def calls_of(emulator: EmulatorThread, method: str, ending: str) -> list[dict[str, Any]]:
    """Return the recorded calls of a method to paths that end so."""
    return [
        request
        for request in emulator.control.requests()
        if request["method"] == method and request["path"].endswith(ending)
    ]


async def test_a_reset_brings_the_start_world_back(builder: Builder, emulator: EmulatorThread) -> None:
    """After a reset there is what was there at the start, and nothing else."""
    await builder.create()
    emulator.control.plan_fault(path="/run", status=500)
    emulator.control.set_scale(0)
    emulator.control.reset()
    assert await every(builder.image_templates.list()) == []
    assert emulator.control.clock()["scale"] == builder.cloud.settings.time_scale
    assert await every(builder.cloud.blobs("imagestore").get_container_client("images").list_blobs()) == []
    await builder.create()


def test_resets_at_once_take_their_turns(emulator: EmulatorThread) -> None:
    """Several resets that arrive together leave the start world, as one does."""
    with ThreadPoolExecutor() as pool:
        for done_reset in [pool.submit(emulator.control.reset) for _ in range(8)]:
            done_reset.result()
    names = [group["name"] for group in RawArm(emulator).send("GET", "/resourceGroups").json()["value"]]
    assert names == ["images"]
    emulator.control.reset()


def test_the_clock_can_be_put_forward(emulator: EmulatorThread) -> None:
    """A stopped clock moves only when it is put forward."""
    emulator.control.set_scale(0)
    before = datetime.fromisoformat(emulator.control.clock()["now"])
    emulator.control.advance(90)
    after = datetime.fromisoformat(emulator.control.clock()["now"])
    assert (after - before).total_seconds() == 90


@pytest.mark.parametrize("count", [1, 2])
async def test_reads_get_over_errors_of_the_server(builder: Builder, emulator: EmulatorThread, count: int) -> None:
    """The SDK repeats a read that was answered with 500."""
    await builder.create()
    emulator.control.plan_fault(method="GET", path=f"{NAME}$", status=500, count=count)
    assert (await builder.get())["name"] == NAME
    statuses = [request["status"] for request in calls_of(emulator, "GET", NAME)][-count - 1 :]
    assert statuses == [500] * count + [200]


async def test_too_many_requests_can_ask_for_patience(builder: Builder, emulator: EmulatorThread) -> None:
    """A planned 429 carries the headers that it was planned with."""
    await builder.create()
    emulator.control.plan_fault(method="GET", path=f"{NAME}$", status=429, headers={"Retry-After": "1"})
    assert (await builder.get())["name"] == NAME


async def test_a_lost_answer_to_a_run(builder: Builder, emulator: EmulatorThread) -> None:
    """A 504 after the effect: the run goes on although the client was told otherwise."""
    await builder.create()
    emulator.control.plan_fault(method="POST", path="/run$", status=504, moment="after")
    with pytest.raises(HttpResponseError, match="The gateway did not receive a response"):
        await done(builder.image_templates.begin_run(GROUP, NAME, polling=False, retry_total=0))
    assert (await builder.get())["properties"]["lastRunStatus"]["runState"] in {"Running", "Succeeded"}


async def test_a_refused_run_has_no_effect(builder: Builder, emulator: EmulatorThread) -> None:
    """A 504 before the effect: nothing runs."""
    await builder.create()
    emulator.control.plan_fault(method="POST", path="/run$", status=504, moment="before")
    with pytest.raises(HttpResponseError):
        await done(builder.image_templates.begin_run(GROUP, NAME, polling=False, retry_total=0))
    assert "lastRunStatus" not in (await builder.get())["properties"]


async def test_a_dropped_connection(builder: Builder, emulator: EmulatorThread) -> None:
    """A reset drops the connection; a POST is not repeated by the SDK."""
    await builder.create()
    emulator.control.plan_fault(method="POST", path="/run$", action="reset")
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        await done(builder.image_templates.begin_run(GROUP, NAME, polling=False))
    assert [request["status"] for request in calls_of(emulator, "POST", "/run")] == [0]


async def test_a_repeated_run_is_refused(builder: Builder, emulator: EmulatorThread) -> None:
    """With its usual retries the SDK posts a run again after a 500, and is told that one goes on."""
    await builder.create()
    emulator.control.set_scale(0)
    emulator.control.plan_fault(method="POST", path="/run$", status=500, moment="after")
    with refused("OperationNotAllowed"):
        await done(builder.image_templates.begin_run(GROUP, NAME, polling=False))
    assert [request["status"] for request in calls_of(emulator, "POST", "/run")] == [500, 405]


async def test_a_repeated_put_is_a_conflict(builder: Builder, emulator: EmulatorThread) -> None:
    """The SDK puts again when the connection is lost, and is told that the image template exists: it is its own."""
    emulator.control.plan_fault(method="PUT", path=f"{NAME}$", status=500, moment="after")
    with refused("Conflict", status=409):
        await builder.create()
    assert [request["status"] for request in calls_of(emulator, "PUT", NAME)] == [500, 409]
    assert (await builder.get())["name"] == NAME


async def test_requests_are_recorded(builder: Builder, emulator: EmulatorThread) -> None:
    """Each call is noted with method, path, client, status and time, and without its query."""
    emulator.control.forget_requests()
    await every(builder.image_templates.list())
    (noted,) = calls_of(emulator, "GET", "/imageTemplates")
    assert noted["status"] == 200
    assert noted["endpoint"] == "arm"
    assert "imagebuilder" in noted["client"]
    assert "?" not in noted["path"]
    assert datetime.fromisoformat(noted["time"]).tzinfo is not None


@pytest.mark.parametrize(
    ("plan", "sent"),
    [
        ("plan_fault", {"path": "("}),
        ("plan_fault", {"action": "explode"}),
        ("plan_fault", {"colour": "red"}),
        ("plan_fault", {"struck": 1}),
        ("plan_fault", {"count": "2"}),
        ("plan_fault", {"status": 42}),
        ("plan_fault", {"headers": {"Retry-After": 1}}),
        ("plan_failure", {"kind": "boredom"}),
        ("plan_failure", {"index": "1"}),
        ("plan_failure", {"output": "text"}),
        ("set_scale", {"scale": float("nan")}),
        ("set_scale", {"scale": 1e300}),
        ("advance", {"seconds": -1}),
        ("advance", {"seconds": float("inf")}),
        ("plan_failure", {"reason": "x"}),
    ],
)
def test_senseless_plans_are_refused(emulator: EmulatorThread, plan: str, sent: dict[str, Any]) -> None:
    """A plan that could never strike as meant is not accepted, nor is a time that does not exist."""
    with pytest.raises(HTTPError, match="400"):
        getattr(emulator.control, plan)(**sent)


def test_a_refused_plan_says_what_can_be_planned(emulator: EmulatorThread) -> None:
    """A misspelt failure is answered with the names that there are, and the client's error shows them."""
    with pytest.raises(ControlError, match=r"InvalidFailure: name='script-faild': use one of .*script-failed"):
        emulator.control.plan_failure(kind="catalogue", name="script-faild")


def test_plans_can_be_read_and_forgotten(emulator: EmulatorThread) -> None:
    """What is planned is shown until it has struck or is forgotten."""
    raw = RawArm(emulator)
    emulator.control.plan_fault(path="/x")
    emulator.control.plan_failure(kind="hang")
    shown = [raw.send("GET", f"/_emulator/{kind}").json()["value"] for kind in ("faults", "failures")]
    assert (shown[0][0]["path"], shown[1][0]["kind"]) == ("/x", "hang")
    emulator.control.clear_plans()
    assert raw.send("GET", "/_emulator/faults").json() == {"value": []}
    assert raw.send("GET", "/_emulator/failures").json() == {"value": []}


def test_the_door_says_that_the_emulator_is_up(emulator: EmulatorThread) -> None:
    """Scripts can wait for it."""
    found = RawArm(emulator).send("GET", "/_emulator").json()
    assert (found["status"], found["blob_url"]) == ("up", emulator.emulator.blob_url)


async def test_a_creation_can_be_told_to_fail_in_its_own_words(builder: Builder, emulator: EmulatorThread) -> None:
    """A planned creation failure may have a code and a message of its own."""
    emulator.control.plan_failure(kind="creation", image_template=NAME, code="BadDistributeType", message="no room")
    body = document(builder.subscription_id)
    with pytest.raises(HttpResponseError, match="no room"):
        await finished(builder.image_templates.begin_create_or_update(GROUP, NAME, body))
    await builder.create("another")


def test_many_clients_at_once(emulator: EmulatorThread) -> None:
    """Calls that arrive together are all answered."""
    raw = RawArm(emulator)

    async def ask() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(lambda: raw.send("GET", ONE).status_code) for _ in range(20)))

    assert asyncio.run(ask()) == [404] * 20
