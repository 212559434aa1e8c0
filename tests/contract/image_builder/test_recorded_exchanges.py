"""Recorded answers of the real service, replayed: the emulator's do not differ in anything that is stable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.image_builder.replay import LOCATION, RECORDED, Replay, stable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.contract.raw_arm import RawArm


GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SHAPES = (
    ("Date", r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    ("x-ms-request-id", GUID),
    ("x-ms-ratelimit-remaining-subscription-.*", r"\d+"),
)
"""Of these headers the form is compared, of all others the value."""
SIGNATURE = ("t", "c", "s", "h")
UNSIGNED = ("post-run-202", "delete-template-202", "put-trigger-201")
"""Recorded before the service signed the addresses of operations."""
ELSEWHERE = ("delete-trigger-202-signed-urls",)
"""Recorded in another region than the rest."""
NEVER_CACHED = ("Cache-Control", "Pragma", "Expires")
OPERATION_HEADERS = ("Azure-AsyncOperation", "Location", "Retry-After")
PARTIAL = ("get-template-run-failed", "failed-creation-operation", "failed-creation-provisioning-error")
"""Of these a source shows some members only."""
DOCUMENTED_IMAGE_ID = "/subscriptions/<guid>/resourceGroups/aib-rg/providers/Microsoft.Compute/images/imageName"
WRONG_IMAGE_ID = "/subscriptions/providers/Microsoft.Compute/images/imageName"
"""Documented is a value with placeholders, which the recordings have filled in."""


@pytest.fixture
def replay(raw: RawArm) -> Replay:
    """Make the resources that the recordings name."""
    return Replay(raw)


def created(replay: Replay) -> Any:
    """Read an image template that was created."""
    replay.create()
    return replay.send("get-template-created")


def in_progress(replay: Replay) -> Any:
    """Poll a creation at once."""
    answer = replay.send("put-template-201")
    return replay.send("poll-operation-inprogress", url=answer.headers["Azure-AsyncOperation"])


def succeeded(replay: Replay) -> Any:
    """Poll a creation at its end."""
    answer = replay.create()
    return replay.send("poll-operation-succeeded", url=answer.headers["Azure-AsyncOperation"])


def started(replay: Replay) -> Any:
    """Start a run."""
    replay.create()
    return replay.start()


def queued(replay: Replay) -> Any:
    """Read an image template a second after its run began."""
    started(replay)
    replay.control.advance(1)
    return replay.send("get-template-queued")


def building(replay: Replay) -> Any:
    """Read an image template while its VM is built."""
    started(replay)
    replay.control.advance(200)
    return replay.send("get-template-building")


def run_succeeded(replay: Replay) -> Any:
    """Read an image template after its run."""
    started(replay)
    replay.control.advance(1000)
    return replay.send("get-template-run-succeeded")


def poll_run_succeeded(replay: Replay) -> Any:
    """Poll a run at its end."""
    operation = started(replay).headers["Azure-AsyncOperation"]
    replay.control.advance(1000)
    return replay.send("poll-run-succeeded", url=operation)


def poll_run_failed(replay: Replay, log_form: str = "new") -> Any:
    """Poll a run that failed in a script."""
    replay.control.plan_failure(kind="customizer", log_form=log_form)
    operation = started(replay).headers["Azure-AsyncOperation"]
    replay.control.advance(1000)
    return replay.send("poll-run-failed", url=operation)


def cancelled(replay: Replay) -> Any:
    """Cancel a run."""
    started(replay)
    replay.control.advance(375)
    return replay.send("post-cancel-204")


def canceling(replay: Replay) -> Any:
    """Read an image template whose run is being cancelled."""
    cancelled(replay)
    return replay.send("get-template-canceling")


def listed_cancelled(replay: Replay) -> Any:
    """List an image template whose run was cancelled, as lists were written in that year."""
    replay.control.choose(**{"list-form": "indented"})
    cancelled(replay)
    replay.control.advance(81)
    return replay.send("list-templates-canceled")


def deleted(replay: Replay) -> Any:
    """Delete an image template."""
    replay.create()
    return replay.send("delete-template-202")


def managed_image_output(replay: Replay) -> Any:
    """List the run outputs of a managed image."""
    replay.create("put-template-201-managed-image-defaults")
    replay.start()
    replay.control.advance(1000)
    return replay.send("list-runoutputs-managed-image")


def gallery_output(replay: Replay) -> Any:
    """Read the run output of a gallery image."""
    run_succeeded(replay)
    return replay.send("get-runoutput-gallery")


def patched(replay: Replay) -> Any:
    """Patch the tags."""
    replay.create()
    return replay.send("patch-tags-200")


def trigger_put(replay: Replay) -> Any:
    """Put a trigger."""
    replay.create()
    return replay.send("put-trigger-201")


def trigger_deleted(replay: Replay) -> Any:
    """Delete a trigger."""
    trigger_put(replay)
    replay.control.advance(10)
    return replay.send("delete-trigger-202-signed-urls")


def run_failed(replay: Replay) -> Any:
    """Read an image template whose run failed, in the words of that time."""
    poll_run_failed(replay, log_form="old")
    return replay.send("get-template-run-failed")


def vhd_output(replay: Replay) -> Any:
    """Read the run output of a VHD."""
    replay.create(distribute=[{"type": "VHD", "runOutputName": "ro1"}])
    replay.start()
    replay.control.advance(1000)
    return replay.send("get-runoutput-vhd")


def replicated(replay: Replay) -> Any:
    """Read a gallery version in two regions once it is everywhere."""
    regions = [{"name": "westus"}, {"name": "eastus", "regionalReplicaCount": 2}]
    replay.send("put-gallery-version-201", properties={"publishingProfile": {"targetRegions": regions}})
    replay.control.advance(1000)
    return replay.send("get-gallery-version-replication-status")


EXCHANGES: dict[str, Callable[[Replay], Any]] = {
    "put-template-201": lambda replay: replay.send("put-template-201"),
    "put-template-201-managed-image-defaults": lambda replay: replay.send("put-template-201-managed-image-defaults"),
    "poll-operation-inprogress": in_progress,
    "poll-operation-succeeded": succeeded,
    "get-template-created": created,
    "post-run-202": started,
    "get-template-queued": queued,
    "get-template-building": building,
    "poll-run-succeeded": poll_run_succeeded,
    "get-template-run-succeeded": run_succeeded,
    "poll-run-failed": poll_run_failed,
    "get-template-run-failed": run_failed,
    "post-cancel-204": cancelled,
    "get-template-canceling": canceling,
    "list-templates-canceled": listed_cancelled,
    "delete-template-202": deleted,
    "list-runoutputs-managed-image": managed_image_output,
    "get-runoutput-gallery": gallery_output,
    "get-runoutput-vhd": vhd_output,
    "patch-tags-200": patched,
    "put-trigger-201": trigger_put,
    "delete-trigger-202-signed-urls": trigger_deleted,
    "put-gallery-version-201": lambda replay: replay.send("put-gallery-version-201"),
    "get-gallery-version-replication-status": replicated,
}


def same_members(body: Any, expected: Any, example_id: str) -> Any:
    """Return a body, without what the source of a partial example does not show."""
    if example_id not in PARTIAL or not isinstance(expected, dict):
        return body
    return {name: same_members(body[name], expected[name], example_id) for name in body if name in expected}


def forms(headers: Mapping[str, str], replay: Replay) -> dict[str, str]:
    """Return headers as they are compared: some by their form, addresses by their path and the names in their query."""
    return {name: form(name, replay.ours(value)) for name, value in headers.items()}


def form(name: str, value: str) -> str:
    """Return what of a header is compared."""
    for pattern, shape in SHAPES:
        if re.fullmatch(pattern, name):
            return shape if re.fullmatch(shape, value) else value
    if not value.startswith("https://"):
        return value
    parts = urlsplit(value)
    query = parse_qs(parts.query)
    return f"{re.sub(GUID, '<guid>', parts.path)} of {query['api-version'][0]} with {sorted(query)}"


def signed(address: str) -> str:
    """Return an address as it has been signed since."""
    return address + "".join(f"&{name}=-" for name in SIGNATURE)


@pytest.mark.parametrize("example_id", EXCHANGES)
def test_the_answer_is_the_recorded_one(replay: Replay, example_id: str) -> None:
    """Status, headers, members and their order are those of the recording."""
    expected = RECORDED[example_id]["response"]
    answer = EXCHANGES[example_id](replay)
    assert answer.status_code == expected["status"]
    body = answer.json() if answer.content else None
    assert stable(same_members(body, expected["body"], example_id)) == stable(expected["body"])
    recorded = expected["headers"]
    if example_id in UNSIGNED:
        recorded = {name: signed(value) if "/operations/" in value else value for name, value in recorded.items()}
    if example_id in ELSEWHERE:
        recorded = {name: value.replace("/westus/", f"/{LOCATION}/") for name, value in recorded.items()}
    assert [name for name in recorded if name not in answer.headers] == []
    assert forms({name: answer.headers[name] for name in recorded}, replay) == forms(recorded, replay)
    assert [name for name in OPERATION_HEADERS if name in answer.headers] == [
        name for name in OPERATION_HEADERS if name in recorded
    ]


def test_every_recording_is_replayed() -> None:
    """No exchange, follow-up or refusal of the recordings is left out."""
    assert sorted(set(RECORDED) - {"errors"}) == sorted(EXCHANGES)
    assert sorted(variant["name"] for variant in RECORDED["errors"]["variants"]) == sorted(REFUSALS)
    assert sorted(name for name, example in RECORDED.items() if "follow_up" in example) == sorted(FOLLOWED)


OF_THE_SAME_SERVICE = {
    "delete-template-202": "poll-operation-succeeded",
    "put-trigger-201": "poll-operation-succeeded",
    "put-gallery-version-201": "put-gallery-version-201",
}
"""Which recording shows the headers of what follows, of which the body alone was kept."""
FOLLOWED = tuple(OF_THE_SAME_SERVICE)


def assert_never_cached(answer: Any) -> None:
    """Compare the headers that every recorded answer has."""
    recorded = RECORDED["poll-operation-succeeded"]["response"]["headers"]
    assert {name: answer.headers.get(name) for name in NEVER_CACHED} == {name: recorded[name] for name in NEVER_CACHED}


@pytest.mark.parametrize("example_id", FOLLOWED)
def test_what_follows_is_what_was_recorded(replay: Replay, example_id: str) -> None:
    """Polls and reads after an exchange, as many seconds later as then, answer the same."""
    answer, passed = EXCHANGES[example_id](replay), 0
    for recorded in RECORDED[example_id]["follow_up"]:
        after = recorded.get("after_s", passed + 10)
        replay.control.advance(after - passed)
        passed = after
        found = replay.follow(answer, recorded)
        assert (found.status_code, stable(found.json())) == (recorded["status"], stable(recorded["body"]))
        content_type = RECORDED[OF_THE_SAME_SERVICE[example_id]]["response"]["headers"]["Content-Type"]
        assert found.headers["Content-Type"] == content_type
        assert_never_cached(found)


def refused_image_id(replay: Replay, api_version: str) -> Any:
    """Put an image template whose source is named by something that is no resource id."""
    source = {"type": "ManagedImage", "imageId": WRONG_IMAGE_ID}
    return replay.send("put-template-201", api_version=api_version, properties={"source": source})


def refused_put(replay: Replay) -> Any:
    """Put an image template that exists."""
    replay.create()
    return replay.send("put-template-201")


def refused_delete(replay: Replay) -> Any:
    """Delete an image template while it is run, in the api-version of the report."""
    started(replay)
    return replay.send("delete-template-202", api_version="2020-02-14")


def refused_cancel(replay: Replay) -> Any:
    """Cancel a run that is being cancelled, in the api-version of the report."""
    cancelled(replay)
    return replay.send("post-cancel-204", api_version="2020-02-14")


def unanswered_run(replay: Replay) -> Any:
    """Start a run while the gateway waits in vain."""
    replay.create()
    replay.control.plan_fault(method="POST", path="/run$", status=504)
    return replay.start()


def failed_creation(replay: Replay) -> Any:
    """Poll a creation that fails for no particular reason."""
    replay.control.plan_failure(kind="creation")
    return replay.send("poll-operation-succeeded", url=replay.create().headers["Azure-AsyncOperation"])


def failed_image_template(replay: Replay) -> Any:
    """Read an image template whose creation failed."""
    failed_creation(replay)
    return replay.send("get-template-created")


REFUSALS: dict[str, Callable[[Replay], Any]] = {
    "validation-2021-10-01-and-later": lambda replay: refused_image_id(replay, "2021-10-01"),
    "validation-2020-02-14-and-earlier": lambda replay: refused_image_id(replay, "2020-02-14"),
    "put-existing-template": refused_put,
    "delete-while-running-2020": refused_delete,
    "cancel-while-canceling-2020": refused_cancel,
    "post-run-gateway-timeout": unanswered_run,
    "failed-creation-operation": failed_creation,
    "failed-creation-provisioning-error": failed_image_template,
    "template-not-found": lambda replay: replay.send("get-template-created"),
}


OF_THE_GATEWAY = ("post-run-gateway-timeout",)
"""Answered by somebody else than the service, without its headers."""


@pytest.mark.parametrize("name", REFUSALS)
def test_the_refusal_is_the_documented_one(replay: Replay, name: str) -> None:
    """Each refusal that a source shows is given with the same body, and with its status if one is known."""
    documented = {variant["name"]: variant for variant in RECORDED["errors"]["variants"]}[name]
    answer = REFUSALS[name](replay)
    assert documented["status"] in {None, answer.status_code}
    if name not in OF_THE_GATEWAY:
        assert_never_cached(answer)
        assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
        assert re.fullmatch(GUID, answer.headers["x-ms-request-id"])
    body = same_members(answer.json(), documented["body"], name)
    assert stable(body).replace(WRONG_IMAGE_ID, DOCUMENTED_IMAGE_ID) == stable(documented["body"])
