from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_aib.image_run.artifacts import ImageArtifact
from airflow_aib.image_run.customization_log import parse_customization_log
from airflow_aib.image_run.late_success import (
    find_image_version,
    has_built,
    has_failed_distributing,
    has_timed_out,
    may_come_late,
    with_late,
)
from airflow_aib.image_run.run_status import LastRunStatus
from tests.unit.airflow_aib.image_run.sample_logs import sample_log

STARTED = datetime(2026, 1, 5, 3, tzinfo=UTC)
BEFORE, AFTER = "2026-01-05T02:59:59.9999999+00:00", "2026-01-05T03:40:00.1234567+00:00"
DEFINITION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/corp/images/linux"
TIMEOUT = "Timeout waiting for microservice to complete: 'context deadline exceeded'"
PUBLISHING = "Error publishing MDI to westus: context deadline exceeded"
PARTLY = (
    "Failed in distributing 1 images out of total 2: {[Error 0] [InternalOperationError: Internal error occurred.]}"
)
DENIED = "Failed in distributing 1 images out of total 1: Not authorized to access the resource: /galleries/corp"


def status(run_state: str, message: str) -> LastRunStatus:
    """Give how a run ended."""
    return LastRunStatus(run_state, None, "2026-01-05T03:00:00Z", "2026-01-05T07:00:00Z", message)


@pytest.mark.parametrize(
    ("run_state", "message", "failed_distributing", "timed_out", "may_come"),
    [
        ("Failed", PUBLISHING, True, True, True),
        ("Failed", PARTLY, True, False, True),
        ("PartiallySucceeded", PARTLY, True, False, True),
        ("Failed", TIMEOUT, False, True, True),
        ("Failed", DENIED, False, False, False),
        ("Failed", "Packer build command has failed: exit status 1", False, False, False),
        ("Succeeded", PARTLY, False, False, False),
        ("Running", PARTLY, False, False, False),
        ("Canceled", "The build was canceled", False, True, False),
    ],
)
def test_which_ends_may_have_images_to_come(
    run_state: str,
    message: str,
    failed_distributing: bool,
    timed_out: bool,
    may_come: bool,
) -> None:
    """A distribution that failed for no lack of rights, or a time that has passed; a cancel only by our deadline."""
    end = status(run_state, message)

    assert (has_failed_distributing(end), has_timed_out(end), may_come_late(end)) == (
        failed_distributing,
        timed_out,
        may_come,
    )


def test_a_run_that_nobody_has_seen_has_nothing_to_come() -> None:
    """Without a status there is nothing to wait for."""
    assert not may_come_late(None)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("old-form-linux-succeeded", True),
        ("old-form-linux-deprovision-failed", False),
        ("new-form-linux-failed", False),
        ("new-form-windows-hangs", False),
        ("new-form-windows-deployment-failed", False),
    ],
)
def test_a_log_tells_whether_only_the_distribution_was_left(sample: str, *, expected: bool) -> None:
    """A build that has captured its machine and come to its end has nothing more to do itself."""
    assert has_built(parse_customization_log(sample_log(sample))) is expected


def version(number: str, published: str | None, tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Give the body of an image version."""
    profile = {"publishedDate": published} if published else {}
    return {
        "id": f"{DEFINITION}/versions/{number}",
        "tags": tags or {},
        "properties": {"publishingProfile": profile, "provisioningState": "Succeeded"},
    }


def distributor(number: str | None = None, tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Give a distributor to the gallery, to a version that it names or that the service numbers."""
    target = f"{DEFINITION}/versions/{number}" if number else DEFINITION
    return {"type": "SharedImage", "runOutputName": "gallery", "galleryImageId": target, "artifactTags": tags or {}}


TAGS = {"team": "base"}
MORE_TAGS = {"team": "base", "correlationId": "1"}


@pytest.mark.parametrize(
    ("versions", "target", "expected"),
    [
        ([version("1.0.0", BEFORE, TAGS), version("1.0.1", AFTER, MORE_TAGS)], distributor(tags=TAGS), "1.0.1"),
        ([version("1.0.1", AFTER, {"team": "other"})], distributor(tags=TAGS), None),
        ([version("1.0.1", AFTER)], distributor(), None),
        ([version("1.0.1", AFTER, TAGS), version("1.0.2", AFTER, TAGS)], distributor(tags=TAGS), None),
        ([version("1.0.1", None, TAGS)], distributor(tags=TAGS), None),
        ([version("7.0.0", AFTER)], distributor("7.0.0"), "7.0.0"),
        ([version("7.0.0", BEFORE)], distributor("7.0.0"), None),
        ([], distributor("7.0.0"), None),
    ],
    ids=["tagged", "other tags", "untagged", "two of them", "undated", "pinned", "pinned and old", "pinned and absent"],
)
def test_somebody_elses_version_never_passes_for_ours(
    versions: list[dict[str, Any]], target: dict[str, Any], expected: str | None
) -> None:
    """Only one version, of this run's time, with the distributor's own tags or number, is taken for the run's."""
    found = find_image_version(versions, target, STARTED)

    assert (found["id"].rpartition("/")[2] if found else None) == expected


def test_late_images_take_their_place_among_the_others() -> None:
    """All are in the distributors' order, and what lacks is named."""
    first, second = ImageArtifact("a", "VHD", artifact_uri="https://x/a"), ImageArtifact("b", "VHD")

    assert with_late([second], [first], ["a", "b", "c"]) == ((first, second), ("c",))
