from __future__ import annotations

import logging
from typing import Any

import pytest

from airflow_aib.exceptions import (
    ArmRequestError,
    ImageArtifactMissingError,
    ImageRunCanceledError,
    ImageRunFailedError,
    ImageRunStuckError,
    ImageRunTimeoutError,
    ImageRunWatchError,
)
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.log_reading import RunLogs
from airflow_aib.hooks.run_report import (
    RunReport,
    log_digest,
    lost_run_error,
    read_report,
    run_error,
    source_version,
)
from airflow_aib.image_run.artifacts import ImageArtifact
from airflow_aib.image_run.customization_log import parse_customization_log
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    FakeClock,
    FakeImageBuilder,
    azure_error,
    fake_clients,
    image_template,
    reset,
    run_status,
)

LOG = logging.getLogger(__name__)
VHD = {"distribute": [{"type": "VHD", "runOutputName": "vhd"}]}


def status(run_state: str, start: str = "A") -> LastRunStatus:
    """Give how a run ended."""
    read = read_last_run_status(image_template(run_status(run_state, start=start)))
    assert read is not None
    return read


async def read(azure: FakeImageBuilder, of: LastRunStatus) -> RunReport:
    """Read what a run has left in a made-up Azure."""
    service = ImageTemplateService(fake_clients(azure), clock=FakeClock())
    return await read_report(service, IMAGE_TEMPLATE_ID, of, LOG)


async def test_a_run_that_succeeded_has_artifacts() -> None:
    """They come from the run outputs, one for each distributor."""
    report = await read(FakeImageBuilder(image_template(run_status("Succeeded"), **VHD)), status("Succeeded"))

    assert [artifact.run_output_name for artifact in report.artifacts] == ["vhd"]
    assert report.to_json()["run_state"] == "Succeeded"


@pytest.mark.parametrize("method", ["get", "outputs"])
async def test_an_outage_at_the_end_does_not_lose_the_report(method: str) -> None:
    """Who has waited hours for a good build bears minutes in which nobody can ask what it has made."""
    azure = FakeImageBuilder(image_template(run_status("Succeeded"), **VHD))
    azure.then(method, *[azure_error(503), reset()] * 8)

    report = await read(azure, status("Succeeded"))

    assert [artifact.run_output_name for artifact in report.artifacts] == ["vhd"]
    assert azure.options[method]["retry_total"] == 0


async def test_a_refusal_at_the_end_is_an_error_at_once() -> None:
    """What does not pass by itself is not waited for."""
    azure = FakeImageBuilder(image_template(run_status("Succeeded"), **VHD)).then("outputs", azure_error(403))

    with pytest.raises(ArmRequestError, match="SomeCode"):
        await read(azure, status("Succeeded"))


async def test_a_run_that_failed_has_none() -> None:
    """Azure is not asked for the outputs of a run that made nothing."""
    azure = FakeImageBuilder(image_template(run_status("Failed"), **VHD))

    assert (await read(azure, status("Failed"))).artifacts == ()
    assert "outputs" not in azure.calls


async def test_the_outputs_of_another_run_are_not_taken() -> None:
    """Azure keeps only the last run's outputs: once another one has begun, the artifacts are missing."""
    azure = FakeImageBuilder(image_template(run_status(start="B"), **VHD))

    with pytest.raises(ImageArtifactMissingError, match=r"Another run .* has begun"):
        await read(azure, status("Succeeded", "A"))


@pytest.mark.parametrize(
    ("run_state", "is_overdue", "kind"),
    [
        ("Failed", False, ImageRunFailedError),
        ("PartiallySucceeded", False, ImageRunFailedError),
        ("Canceled", False, ImageRunCanceledError),
        ("Canceled", True, ImageRunTimeoutError),
        ("Failed", True, ImageRunTimeoutError),
        ("Canceling", True, ImageRunStuckError),
    ],
)
def test_each_bad_end_has_its_error(run_state: str, kind: type[Exception], *, is_overdue: bool) -> None:
    """Its text begins with how the run ended, and it carries the diagnosis."""
    report = RunReport(IMAGE_TEMPLATE_ID, status(run_state), logs=RunLogs(location="https://x/log"))
    event = RunEvent("timeout" if is_overdue else "over", IMAGE_TEMPLATE_ID)
    error = run_error(report, event)

    assert type(error) is kind
    assert f"ended {run_state}:" in str(error)
    assert len(str(error).splitlines()) <= 10
    assert error.diagnosis is not None
    assert error.data["log_location"] == "https://x/log"


@pytest.mark.parametrize(
    ("event", "kind", "hint"),
    [
        (RunEvent("unwatchable", IMAGE_TEMPLATE_ID), ImageRunWatchError, "the next try joins it"),
        (RunEvent("timeout", IMAGE_TEMPLATE_ID), ImageRunTimeoutError, "activity log"),
        (RunEvent("gone", IMAGE_TEMPLATE_ID), ImageRunFailedError, "activity log"),
        (RunEvent("gone", IMAGE_TEMPLATE_ID, reason="deleted"), ImageRunFailedError, "Who deleted it"),
        (RunEvent("gone", IMAGE_TEMPLATE_ID, reason="replaced"), ImageRunFailedError, "gallery by date"),
        (RunEvent("gone", IMAGE_TEMPLATE_ID, reason="never appeared"), ImageRunFailedError, "asks for another run"),
    ],
)
def test_a_run_that_was_lost_from_sight_says_what_to_do(event: RunEvent, kind: type[Exception], hint: str) -> None:
    """Each reason why nothing more is known of a run has its own advice."""
    error = lost_run_error(event)

    assert type(error) is kind
    assert hint in str(error.hint)


def test_the_digest_tells_the_end_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Few lines say how it ended, what it made, how the log ends and where it is."""
    log_text = "\n".join(
        f"[3f0c9f6e-6a59-4c5e-9f36-0f1d9f6d2b11] PACKER OUT     azure-arm: line {number}" for number in range(100)
    )
    artifact = ImageArtifact("vhd", "VHD", artifact_id=None, artifact_uri="https://x/y.vhd")
    logs = RunLogs(parse_customization_log(log_text), location="https://x/log")
    report = RunReport(IMAGE_TEMPLATE_ID, status("Succeeded"), artifacts=(artifact,), logs=logs)

    with caplog.at_level(logging.INFO):
        log_digest(report, LOG)

    for words in (
        "ended Succeeded",
        "End of the customization log",
        "line 99",
        "VHD vhd: https://x/y.vhd",
        "https://x/log",
    ):
        assert words in caplog.text
    assert "line 50" not in caplog.text


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ({"version": "latest", "exactVersion": "24.04.1"}, "24.04.1"),
        ({"version": "1.0.0"}, "1.0.0"),
        ({"imageVersionId": "/subscriptions/s/versions/1"}, "/subscriptions/s/versions/1"),
        ({"imageId": "/subscriptions/s/images/base"}, "/subscriptions/s/images/base"),
        ({}, None),
    ],
)
def test_the_source_version_is_as_exact_as_it_is_known(source: dict[str, Any], version: str | None) -> None:
    """What Azure has resolved says more than what was asked for."""
    assert source_version(source) == version
