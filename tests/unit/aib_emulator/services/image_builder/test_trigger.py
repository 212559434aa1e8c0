from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.refusal import RefusalError
from aib_emulator.services.image_builder.trigger import (
    ImageTemplateTrigger,
    check_distributors,
    check_kind,
    check_number,
    check_source,
    failed_in_a_row,
    failures_to_remember,
    is_newer,
    trigger_body,
)
from aib_emulator.settings import EmulatorSettings
from tests.unit.aib_emulator.services.image_builder.samples import (
    GALLERY_IMAGE,
    MANAGED_IMAGE,
    SOURCE,
    START,
    TO_GALLERY,
    TO_MANAGED_IMAGE,
    TO_VHD,
    image_template,
)

FROM_GALLERY = {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY_IMAGE}/versions/Latest"}


def test_a_new_trigger_has_no_status() -> None:
    """The status appears once the trigger is active, with nine digits of a second."""
    template_id = image_template().image_template_id
    trigger = ImageTemplateTrigger("trg1", "SourceImage")
    body = trigger_body(template_id, trigger)
    assert body["properties"] == {"kind": "SourceImage", "provisioningState": "Creating"}
    assert (body["name"], body["id"]) == ("trg1", f"{template_id.write('resourcegroups')}/triggers/trg1")
    trigger.state, trigger.active_since = "provisioned", START
    status = trigger_body(template_id, trigger)["properties"]["status"]
    assert (status["code"], status["message"]) == ("Healthy", "Trigger is active")
    assert status["time"].startswith("2025-04-30T06:06:40.123456")


@pytest.mark.parametrize("kind", ["Schedule", "sourceimage"])
def test_another_kind_is_refused(kind: str) -> None:
    """There is one kind, in one spelling."""
    with pytest.raises(RefusalError, match=f"Field 'kind' has a bad value: '{kind}'"):
        check_kind({"kind": kind}, None)


def test_a_trigger_has_a_kind() -> None:
    """A document without one is told so."""
    with pytest.raises(RefusalError, match="Missing field 'kind'"):
        check_kind({}, None)


@pytest.mark.parametrize("source", [SOURCE, {**SOURCE, "version": "Latest"}, FROM_GALLERY])
def test_a_source_that_becomes_newer(source: dict[str, Any]) -> None:
    """Platform images and gallery images at `latest` may have a trigger."""
    check_source(source)


@pytest.mark.parametrize(
    "source",
    [
        {**SOURCE, "version": "18.04.202401161"},
        {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY_IMAGE}/versions/1.0.0"},
        {"type": "ManagedImage", "imageId": MANAGED_IMAGE},
    ],
)
def test_a_source_that_stays_is_refused(source: dict[str, Any]) -> None:
    """What never becomes newer never fires."""
    with pytest.raises(RefusalError, match="version 'latest'"):
        check_source(source)


@pytest.mark.parametrize(
    ("source", "distributor", "rule"),
    [
        (SOURCE, {**TO_GALLERY, "galleryImageId": f"{GALLERY_IMAGE}/versions/1.0.0"}, "without a version"),
        (FROM_GALLERY, {**TO_GALLERY, "galleryImageId": GALLERY_IMAGE.upper()}, "not the source's"),
    ],
)
def test_a_distributor_that_cannot_repeat_is_refused(
    source: dict[str, Any], distributor: dict[str, Any], rule: str
) -> None:
    """A pinned version is made once only, and a definition does not feed itself."""
    check_distributors(source, [TO_VHD, TO_MANAGED_IMAGE])
    with pytest.raises(RefusalError, match=rule):
        check_distributors(source, [TO_VHD, distributor])


def test_distributors_that_may_repeat() -> None:
    """Another definition without a version, and what lies in no gallery, may be written again and again."""
    check_distributors(SOURCE, [TO_GALLERY, TO_VHD])
    check_distributors(FROM_GALLERY, [{**TO_GALLERY, "galleryImageId": f"{GALLERY_IMAGE}2"}])


def test_one_trigger_too_many_is_refused() -> None:
    """An image template has one, a region a hundred."""
    most = EmulatorSettings().triggers_in_a_region
    check_number(0, most - 1, most)
    with pytest.raises(RefusalError, match="one trigger"):
        check_number(1, 1, most)
    with pytest.raises(RefusalError, match="100 triggers"):
        check_number(0, most, most)


@pytest.mark.parametrize(
    ("version", "seen", "expected"),
    [
        ("24.04.10", "24.04.9", True),
        ("24.04.9", "24.04.10", False),
        ("24.04.10", "24.04.10", False),
        (f"{GALLERY_IMAGE}/versions/2.0.0", f"{GALLERY_IMAGE}/versions/1.9.9", True),
        ("1.0.0", "", True),
        ("", "1.0.0", False),
    ],
)
def test_newer_is_by_number(version: str, seen: str, *, expected: bool) -> None:
    """Versions are compared number by number, whole or at the end of a resource id."""
    assert is_newer(version, seen) is expected


@pytest.mark.parametrize(
    ("run_states", "count"),
    [
        ([], 0),
        (["Failed", "Failed"], 2),
        (["Failed", "Succeeded", "Failed"], 1),
        (["Failed", "Canceled", "Failed"], 2),
        (["Failed", "PartiallySucceeded"], 0),
        (["Succeeded"], 0),
    ],
)
def test_failures_are_counted_back_to_the_last_success(run_states: list[str], count: int) -> None:
    """A success begins the count anew, a cancelled run changes nothing."""
    assert failed_in_a_row(run_states) == count
    assert failed_in_a_row([*failures_to_remember(run_states[:-1], 10), *run_states[-1:]]) == count
