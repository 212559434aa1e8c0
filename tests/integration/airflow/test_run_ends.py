"""Ends between success and failure: partly, and late; leg by leg, in both modes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ImageRunFailedError, ImageRunTimeoutError
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.operators.run_memory import KEY
from tests.integration.airflow.cloud import until
from tests.integration.airflow.tasks import BOTH_MODES, RUN, task

if TYPE_CHECKING:
    from tests.integration.airflow.cloud import Body, Cloud
    from tests.integration.airflow.legs import Legs

# Emulated seconds: about 400 for the build, 60 for the gallery, then 60 for the VHD.
IN_SECOND_DISTRIBUTION = 485
TAGS = {"team": "base-images"}


def gallery(cloud: Cloud, **more: Any) -> Body:
    """Write a distributor to the gallery."""
    return {**cloud.image_template()["properties"]["distribute"][0], **more}


def short(cloud: Cloud, **properties: Any) -> Body:
    """Write an image template whose build may take ten minutes, so that its time passes soon."""
    return cloud.image_template(**{"buildTimeoutInMinutes": 10, **properties})


def phase_of(cloud: Cloud) -> str | None:
    """Read the last run's state and phase."""
    status = cloud.last_run()
    return status.phase if status else None


def late_run(**arguments: Any) -> tuple[str, dict[str, Any]]:
    """Write down a run that waits for late images."""
    return task(RUN, "run", **{"late_success_allowance": 30, **arguments})


def test_a_partial_success_may_be_enough(cloud: Cloud, legs: Legs) -> None:
    """Where the distributor that failed may be missing, the run counts; XCom tells what there is and what is not."""
    cloud.create(short(cloud, with_vhd=True))
    cloud.plan_failure(kind="partial", index=1)

    report = legs.run(task(RUN, "run", deferrable=True, on_partial_success={"vhd": "warn"}))

    assert (report["run_state"], report["outcome"]) == ("PartiallySucceeded", "partly_succeeded")
    assert report["missing"] == ["vhd"]
    assert [artifact["run_output_name"] for artifact in report["artifacts"]] == ["gallery"]


def test_a_partial_success_may_be_too_little(cloud: Cloud, legs: Legs) -> None:
    """Where the distributor that failed must not be missing, the run has failed, and the error names it."""
    cloud.create(short(cloud, with_vhd=True))
    cloud.plan_failure(kind="partial", index=1)

    with pytest.raises(ImageRunFailedError, match="ended PartiallySucceeded, with nothing from 'vhd'"):
        legs.run(task(RUN, "run", deferrable=False, on_partial_success={"gallery": "warn"}))


@BOTH_MODES
def test_a_late_image_is_a_success(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """The run timed out while it distributed, its images came: the outcome says so, and there was one deferral."""
    cloud.create(short(cloud, with_vhd=True))
    cloud.plan_failure(kind="late_success", seconds=120)

    report = legs.run(late_run(deferrable=deferrable))

    assert (report["run_state"], report["outcome"], report["missing"]) == ("Failed", "late_success", [])
    assert [artifact["run_output_name"] for artifact in report["artifacts"]] == ["gallery", "vhd"]
    assert "/versions/" in report["artifacts"][0]["artifact_id"]
    assert len(legs.events) == int(deferrable)


def test_an_image_that_does_not_come_is_a_failure(cloud: Cloud, legs: Legs) -> None:
    """The wait for late images has its own bound; then the run's own end is told."""
    cloud.create(short(cloud))
    cloud.plan_failure(kind="late_success", seconds=10_000_000)

    with pytest.raises(ImageRunFailedError, match="context deadline exceeded"):
        legs.run(late_run(deferrable=True, late_success_allowance=0.3))


def test_some_late_images_may_be_enough(cloud: Cloud, legs: Legs) -> None:
    """What came of a failed run is judged like a partial success: `missing` names what did not come."""
    cloud.create(short(cloud, with_vhd=True))
    cloud.plan_failure(kind="partial", index=1)

    report = legs.run(late_run(deferrable=False, late_success_allowance=0.3, on_partial_success={"vhd": "warn"}))

    assert (report["outcome"], report["missing"]) == ("partly_succeeded", ["vhd"])


@pytest.mark.parametrize("tags", [TAGS, {}], ids=["tagged", "untagged"])
def test_a_late_version_that_no_run_output_names(cloud: Cloud, legs: Legs, tags: dict[str, str]) -> None:
    """It is found by the distributor's own tags; without any, another run's image could pass for it, and none does."""
    cloud.create(short(cloud, distribute=[gallery(cloud, artifactTags=tags)]))
    cloud.plan_failure(kind="late_success", seconds=60)
    cloud.plan_fault(method="GET", path="runOutputs$", count=None, status=200, body={"value": []})
    run = late_run(deferrable=False, late_success_allowance=30 if tags else 1)

    if tags:
        assert legs.run(run)["outcome"] == "late_success"
    else:
        with pytest.raises(ImageRunFailedError):
            legs.run(run)


def test_a_late_version_by_its_number(cloud: Cloud, legs: Legs) -> None:
    """A version whose number the distributor names is found by it."""
    pinned = f"{gallery(cloud)['galleryImageId']}/versions/7.0.0"
    cloud.create(short(cloud, distribute=[gallery(cloud, galleryImageId=pinned)]))
    cloud.plan_failure(kind="late_success", seconds=60)
    cloud.plan_fault(method="GET", path="runOutputs$", count=None, status=200, body={"value": []})

    (artifact,) = legs.run(late_run(deferrable=False))["artifacts"]

    assert artifact["artifact_id"].endswith("/versions/7.0.0")


def test_a_build_that_timed_out_earlier_is_not_waited_for(cloud: Cloud, legs: Legs) -> None:
    """A run whose time has passed in a customizer has no image to come: it fails at once, without asking for any."""
    cloud.create(short(cloud))
    cloud.plan_failure(kind="hang", index=0)

    with pytest.raises(ImageRunFailedError):
        legs.run(late_run(deferrable=False, late_success_allowance=3600))

    assert cloud.count("GET", "/runOutputs") == 0


def test_a_watch_that_came_too_late_to_see_the_distribution_asks_the_log(cloud: Cloud, legs: Legs) -> None:
    """A retry that joins a run that is over already waits for its late images all the same."""
    cloud.create(short(cloud))
    cloud.plan_failure(kind="late_success", seconds=1000)
    handle = cloud.start_run()
    cloud.emulator.control.advance(3700)
    legs.store.set(KEY, {"handle": ImageRunHandle.from_json(handle).to_json(), "max_tries": 2})

    report = legs.run(late_run(deferrable=True))

    assert report["outcome"] == "late_success"
    assert cloud.count("POST", "/run") == 1


def test_missing_rights_on_the_gallery_are_told_and_change_nothing(cloud: Cloud, legs: Legs) -> None:
    """Who may not look at the version learns how the run ended, and not that nobody could look."""
    cloud.create(short(cloud))
    cloud.plan_failure(kind="late_success", seconds=60)
    cloud.plan_fault(method="GET", path="/versions", count=None, status=403)

    with pytest.raises(ImageRunFailedError, match="context deadline exceeded"):
        legs.run(late_run(deferrable=False))


def test_a_run_that_succeeds_after_its_deadline_is_late(cloud: Cloud, legs: Legs) -> None:
    """When the cancel of an overdue run comes too late, its success counts, and is called late."""
    cloud.create(short(cloud))
    cloud.plan_fault(method="POST", path="/cancel$", status=204)

    report = legs.run(task(RUN, "run", deferrable=True, run_allowance=-86400))

    assert (report["run_state"], report["outcome"]) == ("Succeeded", "late_success")


def test_an_overdue_run_without_late_images_is_a_timeout(cloud: Cloud, legs: Legs) -> None:
    """A run that was cancelled for its deadline is reported as overdue, also after a wait for late images."""
    cloud.create(short(cloud))
    cloud.plan_failure(kind="hang", index=0)

    with pytest.raises(ImageRunTimeoutError, match="ended Canceled"):
        legs.run(late_run(deferrable=False, run_allowance=-86400, late_success_allowance=0.2))


@pytest.mark.parametrize("on_partial_success", ["fail", {"vhd": "warn"}], ids=["all wanted", "one may be missing"])
def test_a_run_that_is_cancelled_while_it_distributes(cloud: Cloud, legs: Legs, on_partial_success: Any) -> None:
    """What it had distributed by its deadline is there; whether that is enough is judged like a partial success."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.emulator.control.set_scale(1)
    handle = cloud.start_run()
    cloud.emulator.control.advance(IN_SECOND_DISTRIBUTION)
    legs.store.set(KEY, {"handle": handle, "max_tries": 2})
    choices = {"late_success_allowance": 0.2, "on_partial_success": on_partial_success}
    run = late_run(deferrable=False, run_allowance=-86400, **choices)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(legs.run, run)
        until(lambda: phase_of(cloud) == "Canceling")
        cloud.emulator.control.advance(200)
        error = running.exception(60)

    if on_partial_success == "fail":
        assert isinstance(error, ImageRunTimeoutError)
        assert "ended Canceled, with nothing from 'vhd'" in str(error)
    else:
        assert (running.result()["outcome"], running.result()["missing"]) == ("partly_succeeded", ["vhd"])
