from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.exceptions import ImageTemplateInUseError
from airflow_aib.hooks.guards import LOG_MARK, losses, refuse_losses, vhd_mark
from airflow_aib.image_template.fingerprint import differences
from tests.fakes import IMAGE_TEMPLATE_ID, image_template, run_status, start_time

VHD = {"type": "VHD", "runOutputName": "disk"}
OWN_VHD = {"type": "VHD", "runOutputName": "disk", "uri": "https://own/vhds/disk.vhd"}
IMAGE = {"type": "SharedImage", "runOutputName": "version"}
ARCHIVED = {LOG_MARK: start_time("A")}
COPIED = {vhd_mark("disk"): start_time("A")}


def body(state: str | None, *distribute: dict[str, str], tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Give an image template whose last run is in a state."""
    status = run_status(state) if state else None
    return {**image_template(status, distribute=list(distribute)), "tags": tags or {}}


@pytest.mark.parametrize(
    ("image_template", "lost"),
    [
        (body(None, VHD), []),
        (body("Running", VHD), ["run"]),
        (body("Canceling", VHD), ["run"]),
        (body("Succeeded", IMAGE), ["log"]),
        (body("Succeeded", VHD), ["vhd", "log"]),
        (body("PartiallySucceeded", VHD, IMAGE), ["vhd", "log"]),
        (body("Succeeded", OWN_VHD), ["log"]),
        (body("Failed", VHD), ["log"]),
        (body("Canceled", VHD), ["log"]),
        (body("Succeeded", VHD, tags=ARCHIVED), ["vhd"]),
        (body("Succeeded", VHD, tags=COPIED), ["log"]),
        (body("Succeeded", VHD, tags={**COPIED, **ARCHIVED}), []),
        (body("Succeeded", VHD, tags={vhd_mark("disk"): start_time("B"), LOG_MARK: start_time("B")}), ["vhd", "log"]),
        ({"properties": {}, "tags": None}, []),
    ],
)
def test_what_would_be_lost_is_read_from_the_body(image_template: dict[str, Any], lost: list[str]) -> None:
    """Runs that go on, VHDs in the staging group and logs count, until they are marked for that very run."""
    assert [loss.kind for loss in losses(image_template)] == lost


@pytest.mark.parametrize(
    ("image_template", "accepted"),
    [
        (body("Running"), {"cancel_running": True}),
        (body("Succeeded", VHD, tags=ARCHIVED), {"discard_vhds": True}),
        (body("Succeeded", VHD, tags=COPIED), {"discard_logs": True}),
        (body("Succeeded", VHD), {"discard_vhds": True, "discard_logs": True}),
        (body(None), {}),
    ],
)
def test_what_the_user_gives_up_may_be_lost(image_template: dict[str, Any], accepted: dict[str, Any]) -> None:
    """Each kind of loss has its argument."""
    refuse_losses(IMAGE_TEMPLATE_ID, image_template, **accepted)


def test_a_refusal_names_every_loss_and_its_argument() -> None:
    """One error names all that would be lost, and how to give it up."""
    with pytest.raises(ImageTemplateInUseError, match="discard_vhds=True and discard_logs=True") as caught:
        refuse_losses(IMAGE_TEMPLATE_ID, body("Succeeded", VHD), cancel_running=True)

    assert "'disk'" in str(caught.value)
    assert start_time("A") in str(caught.value)
    assert len(caught.value.data["losses"]) == 2


def test_marks_do_not_make_an_image_template_differ() -> None:
    """A mark is no change of content, so that the same document stays a no-op."""
    rendered = {"location": "eastus", "tags": {}, "properties": {}}

    assert differences(rendered, {**rendered, "tags": {**ARCHIVED, **COPIED}}) == []
