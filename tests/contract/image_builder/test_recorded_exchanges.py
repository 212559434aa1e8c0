"""Recorded answers of the real service, replayed: the emulator's do not differ in anything that is stable."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.roles import assign, principal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.raw_arm import RawArm

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "reference" / "wire-examples.json"
RECORDED = (
    {example["id"]: example for example in json.loads(EXAMPLES.read_text())["exemplars"]} if EXAMPLES.exists() else {}
)
pytestmark = pytest.mark.skipif(not RECORDED, reason=f"the recordings are not at {EXAMPLES}")

COMPARED_HEADERS = ("Cache-Control", "Pragma", "Expires", "Content-Type", "Content-Length")
OPERATION_HEADERS = ("Azure-AsyncOperation", "Location", "Retry-After")
STABLE = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "<guid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "<time>"),
    (re.compile(r'"exactVersion": "18\.04\.\d+"'), '"exactVersion": "<version>"'),
    (re.compile(r"/versions/0\.\d+\.\d+"), "/versions/<number>"),
    (re.compile(r"https://[^/]+/(?:[a-z0-9]{24})/"), "https://<account>/"),
    (re.compile(r"https://[a-z0-9]{24}\.blob\.core\.windows\.net/"), "https://<account>/"),
    (re.compile(r"storageAccounts/[a-z0-9]{24}"), "storageAccounts/<account>"),
    (re.compile(r"/vhds/\w+_\d{14}\.vhd"), "/vhds/<name>.vhd"),
)
LOCATION = "eastus"


def stable(body: Any) -> str:
    """Return the text of a body, members in their order, with what differs from day to day replaced."""
    text = json.dumps(body, indent=1)
    for pattern, word in STABLE:
        text = pattern.sub(word, text)
    return text


class Replay:
    """Bring the emulator into the state of a recording, and send what was sent then.

    :param raw: the emulator
    """

    def __init__(self, raw: RawArm) -> None:
        self.raw = raw
        self.control = raw.thread.control
        # Scripts of the recordings come with a checksum of a file that this machine cannot read.
        self._prepare()

    def _prepare(self) -> None:
        group = "/resourceGroups/aib-rg"
        gallery = f"{group}/providers/Microsoft.Compute/galleries/gal1"
        place = {"location": LOCATION}
        definition = {
            **place,
            "properties": {
                "osType": "Linux",
                "osState": "Generalized",
                "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
            },
        }
        for path, body in (
            (group, place),
            (f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ide1", place),
            (gallery, place),
            (f"{gallery}/images/def1", definition),
        ):
            answer = self.raw.send("PUT", path, body, api_version="2024-03-03")
            assert answer.status_code in {200, 201}, answer.text
        assign(self.raw, "Contributor", principal_of(self.raw, "ide1", "aib-rg"))
        self.control.advance(600)

    def send(self, example_id: str, *, url: str | None = None) -> Any:
        """Send the request of a recording, or the same method to another address."""
        request = RECORDED[example_id]["request"]
        recorded = request["url"].replace("https://management.azure.com", self.raw.url)
        body = json.loads(self._ours(json.dumps(request["body"]))) if request.get("body") else None
        return self.raw.send(request["method"], url or self._ours(recorded), body)

    def create(self, example_id: str = "put-template-201") -> Any:
        """Create the image template of a recording, and let the creation end."""
        answer = self.send(example_id)
        self.control.advance(60)
        return answer

    def start(self) -> Any:
        """Start the run of the recording."""
        return self.send("post-run-202")

    def _ours(self, text: str) -> str:
        return text.replace("/subscriptions/00000000-0000-0000-0000-000000000000", self._subscription())

    def _subscription(self) -> str:
        return f"/subscriptions/{self.raw.settings.subscription_id}"


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


def poll_run_failed(replay: Replay) -> Any:
    """Poll a run that failed in a script."""
    replay.control.plan_failure(kind="customizer")
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
    """List an image template whose run was cancelled."""
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
    "post-cancel-204": cancelled,
    "get-template-canceling": canceling,
    "list-templates-canceled": listed_cancelled,
    "delete-template-202": deleted,
    "list-runoutputs-managed-image": managed_image_output,
    "get-runoutput-gallery": gallery_output,
    "patch-tags-200": patched,
    "put-trigger-201": trigger_put,
    "delete-trigger-202-signed-urls": trigger_deleted,
}


@pytest.mark.parametrize("example_id", EXCHANGES)
def test_the_answer_is_the_recorded_one(replay: Replay, example_id: str) -> None:
    """Status, headers, members and their order are those of the recording."""
    expected = RECORDED[example_id]["response"]
    answer = EXCHANGES[example_id](replay)
    assert answer.status_code == expected["status"]
    body = answer.json() if answer.content else None
    assert stable(body) == stable(expected["body"])
    recorded = expected["headers"]
    for name in COMPARED_HEADERS:
        if name in recorded:
            assert answer.headers.get(name) == recorded[name], name
    assert [name for name in OPERATION_HEADERS if name in answer.headers] == [
        name for name in OPERATION_HEADERS if name in recorded
    ]


def test_an_active_trigger_is_the_recorded_one(replay: Replay) -> None:
    """What is read after the PUT of a trigger has the recorded members and words."""
    trigger_put(replay)
    replay.control.advance(10)
    (recorded,) = RECORDED["put-trigger-201"]["follow_up"]
    url = replay._ours(recorded["url"].replace("https://management.azure.com", replay.raw.url))
    answer = replay.raw.send(recorded["method"], url)
    assert (answer.status_code, stable(answer.json())) == (recorded["status"], stable(recorded["body"]))


def refused_put(replay: Replay) -> Any:
    """Put an image template that exists."""
    replay.create()
    return replay.send("put-template-201")


def refused_delete(replay: Replay) -> Any:
    """Delete an image template while it is run, in the api-version of the report."""
    started(replay)
    recorded = RECORDED["delete-template-202"]["request"]["url"].partition("/subscriptions/")[2]
    path = recorded.partition("/")[2].replace("2022-07-01", "2020-02-14")
    return replay.raw.send("DELETE", f"{replay.raw.url}/subscriptions/{replay.raw.settings.subscription_id}/{path}")


REFUSALS: dict[str, Callable[[Replay], Any]] = {
    "put-existing-template": refused_put,
    "delete-while-running-2020": refused_delete,
    "template-not-found": lambda replay: replay.send("get-template-created"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_the_refusal_is_the_documented_one(replay: Replay, name: str) -> None:
    """Each refusal that a source shows is given with the same body."""
    documented = {variant["name"]: variant["body"] for variant in RECORDED["errors"]["variants"]}
    assert stable(REFUSALS[name](replay).json()) == stable(documented[name])
