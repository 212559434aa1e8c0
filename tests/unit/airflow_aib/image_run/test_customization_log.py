from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.customization_log import CustomizationLog, parse_customization_log
from airflow_aib.image_run.failure_signatures import log_signs
from tests.unit.airflow_aib.image_run.sample_logs import LOGS, sample_log

SAMPLES = sorted(path.stem for path in LOGS.glob("*.log"))


def read(name: str) -> CustomizationLog:
    """Read a sample log."""
    return parse_customization_log(sample_log(name))


def kinds(log: CustomizationLog) -> list[str]:
    """Return the kinds of a log's provisioners."""
    return [provisioner.kind for provisioner in log.provisioners]


def phases(log: CustomizationLog) -> list[str]:
    """Return the names of a log's phases."""
    return [phase.name for phase in log.phases]


def test_good_build_has_all_phases_and_no_failure() -> None:
    """A good build goes through all phases and nothing in it counts as a failure."""
    log = read("old-form-linux-succeeded")

    assert phases(log) == ["deploy", "connect", "customize", "deprovision", "capture", "clean-up", "end"]
    assert (log.failed, log.errors, log.is_complete) == (None, (), True)


def test_last_provisioner_is_azures_own() -> None:
    """There is one provisioner more than there are customizers: the deprovision step."""
    log = read("old-form-linux-succeeded")

    assert kinds(log) == ["shell", "file", "shell"]
    assert [provisioner.is_deprovision for provisioner in log.provisioners] == [False, False, True]


def test_each_provisioner_has_its_own_lines() -> None:
    """Output lines belong to the provisioner in which they were written, without prefixes."""
    log = read("old-form-linux-succeeded")

    assert log.provisioners[0].output == (
        "Provisioning with shell script: /tmp/packer-shell118",
        "Reading package lists...",
        "Setting up nginx (1.18.0) ...",
    )
    assert log.provisioners[2].output[-1] == "WARNING! The waagent service will be stopped."


def test_times_of_a_provisioner() -> None:
    """A provisioner knows when it began and ended, as the log writes it."""
    provisioner = read("old-form-linux-succeeded").provisioners[0]

    assert (provisioner.started, provisioner.ended) == ("2021/02/03 08:02:31", "2021/02/03 08:03:12")


def test_failed_provisioner_of_the_old_form() -> None:
    """A failed provisioner also ends in the log; the errors after it tell that it failed."""
    log = read("old-form-windows-failed")

    assert kinds(log) == ["powershell", "windows-restart", "powershell"]
    assert log.failed == log.provisioners[2]
    assert log.failed.has_ended
    assert log.failed.exit_code == 1619
    assert log.failed.output[-1] == "msiexec : the package could not be opened"


def test_failed_provisioner_of_the_new_form() -> None:
    """The newer form is read as well, and what it says twice is kept once."""
    log = read("new-form-linux-failed")

    assert log.failed is not None
    assert (log.failed.index, log.failed.kind, log.failed.exit_code) == (1, "shell", 22)
    assert log.provisioners[0].output == ("Provisioning with shell script: /tmp/packer-shell77", "hardening done")
    assert log.failed.output[-1] == "curl: (22) The requested URL returned error: 404"


def test_hanging_provisioner() -> None:
    """The last provisioner without an end is the one that hangs."""
    log = read("new-form-windows-hangs")

    assert log.failed is not None
    assert (log.failed.index, log.failed.has_ended, log.is_complete) == (1, False, False)
    assert log.tail[-1] == "Do you accept the licence? [y/n]"


def test_failed_deprovisioning() -> None:
    """A failure in AIB's own step is recognised, also without operation ids in the log."""
    log = read("old-form-linux-deprovision-failed")

    assert log.failed is not None
    assert log.failed.is_deprovision
    assert log.failed.exit_code == 127
    assert log.operation_id is None


def test_failure_before_any_customizer() -> None:
    """When the build VM cannot be made no provisioner failed, and the error is kept."""
    log = read("new-form-windows-deployment-failed")

    assert (log.failed, log.provisioners) == (None, ())
    assert log.errors[0].startswith("ERROR: -> SkuNotAvailable")


def test_failure_after_capture_is_no_provisioners() -> None:
    """Once the machine is being captured, an error belongs to no provisioner."""
    good = sample_log("old-form-linux-succeeded").splitlines()
    captured = next(number for number, line in enumerate(good) if "Taking snapshot" in line)
    lines = [*good[: captured + 1], "PACKER OUT Build 'azure-arm' errored: the snapshot could not be taken"]
    log = parse_customization_log("\n".join(lines))

    assert log.failed is None
    assert log.errors == ("Build 'azure-arm' errored: the snapshot could not be taken",)


def test_harmless_lines_are_not_in_the_tail() -> None:
    """Lines that stand in good builds too do not distract at the end."""
    for name in ("old-form-linux-succeeded", "old-form-windows-failed"):
        tail = " ".join(read(name).tail)
        assert "Will retry" not in tail
        assert "no artifacts were created" not in tail


def test_operation_id_is_that_of_the_brackets() -> None:
    """The id by which the service's message speaks of the log stands before its lines."""
    assert read("new-form-linux-failed").operation_id == "5be4c1f0-9a41-4d0c-b2a5-8e1f3f4cb6d3"


def test_a_script_cannot_speak_for_packer() -> None:
    """Packer's words in a script's output neither begin a phase nor end the build."""
    log = parse_customization_log(
        "PACKER OUT     azure-arm: Waiting for SSH\n"
        "PACKER ERR 2021/02/03 08:02:31 [INFO] (telemetry) Starting provisioner shell\n"
        "PACKER OUT     azure-arm: Provisioning step had errors\n"
        "PACKER ERR 2021/02/03 08:02:32 [INFO] (telemetry) ending shell\n"
    )

    assert phases(log) == ["customize"]
    assert (log.failed, log.errors) == (None, ())


@pytest.mark.parametrize("file", sorted(LOGS.glob("*.log")), ids=lambda file: file.stem)
def test_every_beginning_of_a_log_can_be_read(file: object) -> None:
    """A log that still grows is read at every line, and provisioners only ever become more."""
    lines = sample_log(getattr(file, "stem", "")).splitlines()
    counts = [len(parse_customization_log("\n".join(lines[:end])).provisioners) for end in range(len(lines) + 1)]

    assert counts == sorted(counts)


def test_empty_log() -> None:
    """An empty log says nothing."""
    assert parse_customization_log("") == CustomizationLog()


@given(st.lists(st.sampled_from([*sample_log("new-form-linux-failed").splitlines(), "", "PACKER", "x: y"])))
def test_lines_in_any_order_can_be_read(lines: list[str]) -> None:
    """Whatever lines come, the log is read, and a failed provisioner is one of its own."""
    log = parse_customization_log("\n".join(lines))

    assert log.failed is None or log.failed in log.provisioners


@pytest.mark.parametrize("name", SAMPLES)
def test_a_log_goes_through_json(name: str) -> None:
    """It travels in an event; only the output of steps that went well is left out, so that the event stays small."""
    log = parse_customization_log(sample_log(name), log_signs())
    slim = [
        step if step == log.failed else replace(step, output=(), error_lines=(), last_errors=())
        for step in log.provisioners
    ]

    text = json.dumps(log.to_json() | {"later": 1})

    assert CustomizationLog.from_json(json.loads(text)) == replace(log, provisioners=tuple(slim))
    assert len(text) < 64 * 1024
