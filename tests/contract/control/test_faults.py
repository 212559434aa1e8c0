from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
import requests

from aib_emulator.testing.azure import Azure
from tests.contract.image_builder.calls import IMAGE_TEMPLATES
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import content, done, every, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Speak to the emulator without any SDK."""
    return RawArm(emulator)


def listed(raw: RawArm, **more: Any) -> requests.Response:
    """List the image templates."""
    return raw.send("GET", IMAGE_TEMPLATES, **more)


def sign_in(emulator: EmulatorThread) -> requests.Response:
    """Ask for a token."""
    settings = emulator.emulator.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "scope": "https://management.azure.com/.default",
    }
    url = f"{emulator.emulator.arm_url}/{settings.tenant_id}/oauth2/v2.0/token"
    return requests.post(url, data=form, verify=str(emulator.emulator.ca_file), timeout=30)


def test_a_malformed_body(raw: RawArm, emulator: EmulatorThread) -> None:
    """The answer has the status of a good one, and a body that is no JSON."""
    emulator.control.plan_fault(path="imageTemplates$", action="malformed")
    answer = listed(raw)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert listed(raw).json() == {"value": []}


def test_a_truncated_body(raw: RawArm, emulator: EmulatorThread) -> None:
    """More is announced than is sent before the connection is closed."""
    emulator.control.plan_fault(path="imageTemplates$", action="truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        listed(raw)
    assert listed(raw).json() == {"value": []}


def test_an_answer_without_a_body_cannot_be_cut(raw: RawArm, emulator: EmulatorThread) -> None:
    """The connection is dropped instead, and the record says that nothing was answered."""
    emulator.control.plan_fault(method="HEAD", action="truncated")
    with pytest.raises(requests.exceptions.ConnectionError):
        raw.send("HEAD", "/resourceGroups/images")
    assert emulator.control.count_requests("status", method="HEAD") == {"0": 1}


def test_a_wrong_content_type(raw: RawArm, emulator: EmulatorThread) -> None:
    """The body is right and labelled as a page, or as whatever the plan says."""
    for headers, expected in (({}, "text/html"), ({"Content-Type": "text/plain"}, "text/plain")):
        emulator.control.plan_fault(path="imageTemplates$", action="content-type", headers=headers)
        answer = listed(raw)
        assert answer.headers["Content-Type"].startswith(expected)
        assert answer.json() == {"value": []}


def test_a_dripping_answer_arrives_whole(raw: RawArm, emulator: EmulatorThread) -> None:
    """Drop by drop everything comes."""
    emulator.control.plan_fault(path="imageTemplates$", action="drip", bytes_per_second=40)
    answer = listed(raw, stream=True)
    pieces = [answer.raw.read1(1024)]
    while sum(map(len, pieces)) < int(answer.headers["Content-Length"]):
        pieces.append(answer.raw.read1(1024))
    assert len(pieces) > 2
    assert json.loads(b"".join(pieces)) == {"value": []}


def test_a_slow_answer_outlasts_an_impatient_client(raw: RawArm, emulator: EmulatorThread) -> None:
    """A delay holds the answer back longer than the client is willing to wait."""
    emulator.control.plan_fault(path="imageTemplates$", action="delay", seconds=30)
    with pytest.raises(requests.exceptions.ReadTimeout):
        raw.session.get(f"{raw.url}{raw._full(IMAGE_TEMPLATES)}?api-version=2025-10-01", timeout=0.2)
    emulator.control.plan_fault(path="imageTemplates$", action="delay", seconds=0.01)
    assert listed(raw).json() == {"value": []}


def test_what_the_next_try_is_told(raw: RawArm, emulator: EmulatorThread) -> None:
    """A planned status carries both headers about the next try, or none."""
    emulator.control.plan_fault(path="imageTemplates$", status=429, retry_after=7, retry_after_ms=120)
    emulator.control.plan_fault(path="imageTemplates$", status=503)
    first, second = listed(raw), listed(raw)
    assert (first.status_code, first.headers["Retry-After"], first.headers["x-ms-retry-after-ms"]) == (429, "7", "120")
    assert second.status_code == 503
    assert {"Retry-After", "x-ms-retry-after-ms"} & set(second.headers) == set()


def test_faults_strike_one_client(raw: RawArm, emulator: EmulatorThread) -> None:
    """Only the client that the plan names is struck, by application id or user agent."""
    application_id = emulator.emulator.settings.client_id
    emulator.control.plan_fault(path="imageTemplates$", client="^impatient/", status=503)
    emulator.control.plan_fault(path="imageTemplates$", client=application_id, status=504, skip=1)
    statuses = [listed(raw, headers={"User-Agent": name}).status_code for name in ("calm/1", "impatient/1", "calm/1")]
    assert statuses == [200, 503, 504]


def test_sign_ins_are_struck_by_application(emulator: EmulatorThread) -> None:
    """A token request is known by the application id in its form."""
    fault = emulator.control.plan_fault(
        path="/token$", client=emulator.emulator.settings.client_id, action="malformed", status=200
    )
    assert sign_in(emulator).text.endswith("{<")
    assert sign_in(emulator).json()["token_type"] == "Bearer"
    assert [shown["struck"] for shown in emulator.control.faults() if shown["fault_id"] == fault["fault_id"]] == [1]


def test_faults_are_shown_and_removed_one_by_one(raw: RawArm, emulator: EmulatorThread) -> None:
    """Each fault has an id, by which it is shown and taken away."""
    stays, goes = (emulator.control.plan_fault(path="imageTemplates$", status=status) for status in (503, 500))
    emulator.control.remove_fault(goes["fault_id"])
    assert listed(raw).status_code == 503
    shown = raw.send("GET", f"/_emulator/faults/{stays['fault_id']}").json()
    assert (shown["struck"], shown["count"]) == (1, 0)
    assert raw.send("GET", f"/_emulator/faults/{goes['fault_id']}").status_code == 404
    with pytest.raises(HTTPError, match="404"):
        emulator.control.remove_fault(goes["fault_id"])


async def test_blob_calls_are_spoilt_alike(cloud: Cloud) -> None:
    """A large download that is cut short is finished by the SDK's second try; a listing without sense is an error."""
    client = cloud.blobs("imagestore").get_blob_client("images", "large")
    await done(client.upload_blob(bytes(4 * 1024 * 1024), overwrite=True))
    cloud.thread.control.plan_fault(method="GET", path="large$", action="truncated")
    assert len(await content(client.download_blob())) == 4 * 1024 * 1024
    cloud.thread.control.plan_fault(method="GET", path="^/imagestore", action="status", status=503, retry_after_ms=1)
    with refused("ServerBusy", status=503):
        await every(cloud.blobs("imagestore").list_containers())


def test_a_lost_answer_in_users_tests(raw: RawArm, emulator: EmulatorThread) -> None:
    """`azure.lose_answers` carries a call out, and its answer never comes."""
    Azure(emulator).lose_answers("/resourceGroups/lost$", method="PUT")
    with pytest.raises(requests.exceptions.ConnectionError):
        raw.send("PUT", "/resourceGroups/lost", {"location": "eastus"}, api_version="2024-03-01")
    assert raw.send("GET", "/resourceGroups/lost", api_version="2024-03-01").status_code == 200


def test_a_late_answer_in_users_tests(raw: RawArm, emulator: EmulatorThread) -> None:
    """`azure.delay_calls` answers after so many real seconds."""
    planned = Azure(emulator).delay_calls("imageTemplates$", seconds=0.01)
    assert (planned["action"], planned["seconds"]) == ("delay", 0.01)
    assert listed(raw).status_code == 200
    assert Azure(emulator).missed_faults() == []
