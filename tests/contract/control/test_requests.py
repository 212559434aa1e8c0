from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest
import requests

from tests.contract.image_builder.calls import IMAGE_TEMPLATES, ONE, create
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import done, every

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

LISTING = "GET /subscriptions/{subscription_id}/resourceGroups/{resource_group_name}/providers"
LISTING += "/Microsoft.VirtualMachineImages/imageTemplates"


def test_calls_are_counted_by_their_kind(emulator: EmulatorThread) -> None:
    """Calls of one kind count together whatever they name; filters count a part."""
    raw, control = RawArm(emulator), emulator.control
    control.forget_requests()
    for path in (IMAGE_TEMPLATES, IMAGE_TEMPLATES, ONE, f"{ONE}2", "/resources/no/such"):
        raw.send("GET", path)
    raw.send("POST", f"{ONE}/run", headers={"User-Agent": "other/1"})
    counts = control.count_requests()
    assert counts == {
        LISTING: 2,
        f"{LISTING}/{{image_template_name}}": 2,
        "GET (not served)": 1,
        f"{LISTING.replace('GET', 'POST')}/{{image_template_name}}/run": 1,
    }
    assert control.count_requests("status") == {"404": 4, "200": 2}
    assert control.count_requests("method", path="tmpl1", client=emulator.emulator.settings.client_id) == {
        "GET": 2,
        "POST": 1,
    }
    assert [call["client"] for call in control.requests(method="POST", status="4xx")] == ["other/1"]


async def test_blob_calls_are_counted_by_what_they_ask(cloud: Cloud) -> None:
    """Account, container and blob are left out, the words that say what is asked are not; no signature shows."""
    control = cloud.thread.control
    container = cloud.blobs("imagestore").get_container_client("images")
    control.forget_requests()
    await every(container.list_blobs())
    assert control.count_requests(endpoint="blob") == {"GET /{account}/{container}?restype=container&comp=list": 1}


async def test_blob_calls_tell_how_much_they_move(cloud: Cloud) -> None:
    """What a call sends, has copied or asks for by a range is its volume; all other calls have none."""
    control = cloud.thread.control
    blob = cloud.blobs("imagestore").get_blob_client("images", "volume.vhd")
    control.forget_requests()
    await done(blob.create_page_blob(1024))
    await done(blob.upload_page(b"x" * 512, offset=0, length=512))
    await done(
        blob.upload_pages_from_url(
            blob.url, offset=512, length=512, source_offset=0, source_authorization=await cloud.token()
        )
    )
    assert [call["volume"] for call in control.requests(endpoint="blob", path="volume.vhd", method="PUT")] == [
        0,
        512,
        512,
    ]


def test_connections_and_sign_ins_are_counted(emulator: EmulatorThread) -> None:
    """Two sessions are two connections however much they ask; the control door itself does not count."""
    emulator.control.forget_requests()
    raws = [RawArm(emulator) for _ in range(2)]
    for raw in raws:
        raw.send("GET", IMAGE_TEMPLATES)
    counts = emulator.control.connections()
    assert counts["arm"] == {"connections": 2, "full_handshakes": 2, "resumed_handshakes": 0}
    assert (counts["blob"]["connections"], counts["token_requests"]) == (0, 2)
    requests.get(emulator.emulator.blob_url, verify=str(emulator.emulator.ca_file), timeout=30)
    assert emulator.control.connections()["blob"]["connections"] == 1


@pytest.mark.parametrize("wanted", [{"path": "("}, {"status": "many"}, {"colour": "red"}])
def test_senseless_questions_are_refused(emulator: EmulatorThread, wanted: dict[str, str]) -> None:
    """A question that nothing could fit by mistake is told."""
    with pytest.raises(HTTPError, match="400"):
        emulator.control.requests(**wanted)
    with pytest.raises(HTTPError, match="400"):
        emulator.control.count_requests("colour")


def test_runs_are_remembered_when_their_image_template_is_gone(emulator: EmulatorThread) -> None:
    """Every run that began is listed with how it ended, also of an image template that was deleted since."""
    raw, control = RawArm(emulator), emulator.control
    create(raw)
    raw.send("POST", f"{ONE}/run")
    control.advance(7200)
    raw.send("DELETE", ONE)
    control.advance(600)

    assert raw.send("GET", ONE).status_code == 404
    assert [(run["image_template_id"].endswith(ONE), run["runState"]) for run in control.runs()] == [
        (True, "Succeeded")
    ]
    control.reset()
    assert control.runs() == []
