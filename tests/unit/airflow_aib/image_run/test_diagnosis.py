from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.customization_log import CustomizationLog, parse_customization_log
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.diagnosis import BuildStep, Diagnosis
from airflow_aib.image_run.evidence import Evidence, evidence_of_call, evidence_of_creation, evidence_of_run
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.run_status import LastRunStatus, RunState
from airflow_aib.masking import Masker
from tests.unit.airflow_aib.image_run.sample_logs import sample_log

ADDRESS = (
    "https://abcdefghijklmnopqrstuvwx.blob.core.windows.net/packerlogs/11111111-2222-3333-4444-555555555555"
    "/customization.log"
)
PACKER = (
    "Failed while waiting for packerizer: Microservice has failed: Packer build command has failed: exit status 1. "
    "During the image build, a failure has occurred, please review the build log"
)
MESSAGE = f"{PACKER}. Image Build log location: {ADDRESS}. OperationId: 3f0c9f6e-6a59-4c5e-9f36-0f1d9f6d2b11."

LINUX = [{"type": "Shell", "name": "harden"}, {"type": "Shell", "name": "install-app"}]
WINDOWS = [{"type": "PowerShell"}, {"type": "WindowsRestart"}, {"type": "PowerShell"}]


def evidence(
    log: str | None,
    customize: list[dict[str, Any]] | None = None,
    message: str = MESSAGE,
    run_state: str = "Failed",
    **properties: Any,
) -> Evidence:
    """Gather what is known of a run."""
    status = LastRunStatus(run_state, None, "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", message)
    read = parse_customization_log(log, log_signs()) if log is not None else None
    return evidence_of_run(status, {"customize": LINUX if customize is None else customize, **properties}, read)


def test_failed_customizer() -> None:
    """The customizer that failed is named with index, name, type, exit code, first error and last lines."""
    diagnosis = diagnose(evidence(sample_log("new-form-linux-failed")))

    assert diagnosis.failure_class == "customizer-failed"
    assert diagnosis.customizer == BuildStep(1, "install-app", "Shell", 2)
    assert (diagnosis.step, diagnosis.exit_code) == ("customize", 22)
    assert diagnosis.error_lines == ("curl: (22) The requested URL returned error: 404",)
    assert diagnosis.output_tail[-1] == "curl: (22) The requested URL returned error: 404"
    assert diagnosis.log_location == ADDRESS
    assert diagnosis.documentation is not None
    assert (diagnosis.may_retry, diagnosis.retry_after) == (False, None)


def test_the_first_error_is_found_among_thousands_of_lines() -> None:
    """What went wrong first is told, however much was written after it."""
    log = sample_log("new-form-linux-failed").replace(
        "azure-arm: curl: (22)",
        "azure-arm: E: the root of it\n" + "PACKER     azure-arm: noise\n" * 5000 + "curl: (22)",
        1,
    )

    assert diagnose(evidence(log)).error_lines[0] == "E: the root of it"


def test_customizer_without_name() -> None:
    """A customizer that has no name is told by number and type."""
    diagnosis = diagnose(evidence(sample_log("old-form-windows-failed"), WINDOWS))

    assert (
        diagnosis.lines()[0] == "The run failed: customizer-failed, in customizer 3 of 3 (PowerShell), exit code 1619"
    )


def test_no_customizer_is_named_by_a_guess() -> None:
    """Where the log's kinds are not those of the list, no customizer is named."""
    diagnosis = diagnose(evidence(sample_log("old-form-windows-failed"), [{"type": "File"}] * 3))

    assert diagnosis.failure_class == "customizer-failed"
    assert diagnosis.customizer is None
    assert diagnosis.exit_code == 1619


def test_lines_for_the_task_log() -> None:
    """The end of the task log says who failed, the errors, the service's words, the log's place and what to do."""
    lines = diagnose(evidence(sample_log("new-form-linux-failed"))).lines()

    assert lines[0] == "The run failed: customizer-failed, in customizer 2 of 2, 'install-app' (Shell), exit code 22"
    assert lines[1:3] == ["Errors in the log:", "  curl: (22) The requested URL returned error: 404"]
    assert lines[3].startswith("Service: Failed while waiting for packerizer")
    assert lines[4] == f"Full log: {ADDRESS}"
    assert lines[5] == (
        "What to do: Read the customizer's output and correct it. Trying again unchanged will not help."
    )
    assert lines[6].startswith("See https://learn.microsoft.com/en-us/azure/virtual-machines/linux/image-builder-")


def test_a_retry_says_when() -> None:
    """Where trying again helps, it is said after how long."""
    diagnosis = diagnose(evidence(None, message="Azure Container Instances quota exceeded"))

    assert (diagnosis.may_retry, diagnosis.retry_after) == (True, 1800)
    assert diagnosis.lines()[-2].endswith("Trying again may help, in 30 minutes.")


@pytest.mark.parametrize(("code", "words"), [(3010, "wants a restart"), (137, "memory"), (127, "not there")])
def test_exit_codes_that_say_more(code: int, words: str) -> None:
    """What an exit code is known for is part of the remedy."""
    log = sample_log("new-form-linux-failed").replace("'22'", f"'{code}'").replace("status: 22", f"status: {code}")
    diagnosis = diagnose(evidence(log))

    assert diagnosis.exit_code == code
    assert words in diagnosis.remedy


def test_a_generalisation_that_never_ends_has_two_remedies() -> None:
    """Windows may say no more than that it is undeployable: the advice names what helps then."""
    state = "PACKER OUT     azure-arm: IMAGE_STATE_UNDEPLOYABLE\n"
    log = sample_log("new-form-windows-hangs") + state * 50

    diagnosis = diagnose(evidence(log, WINDOWS[:1], "Failed while waiting: 'context deadline exceeded'"))

    assert (diagnosis.failure_class, diagnosis.step) == ("deprovision-timeout", "deprovision")
    assert "vmProfile.vmSize" in diagnosis.remedy
    assert "sleep 60 s" in diagnosis.remedy


def test_a_cancelled_run_whose_time_was_over() -> None:
    """Whom the deadline cancelled hung somewhere: nobody is told that somebody cancelled it."""
    log = sample_log("new-form-windows-hangs")
    customize = [{"type": "WindowsUpdate"}, {"type": "PowerShell", "name": "office"}]
    known = evidence(log, customize, "The build was canceled", RunState.CANCELED)

    assert diagnose(known).failure_class == "canceled"
    overdue = diagnose(replace(known, is_overdue=True))
    assert (overdue.failure_class, overdue.customizer) == (
        "customizer-timeout",
        BuildStep(1, "office", "PowerShell", 2),
    )


@pytest.mark.parametrize("run_state", [RunState.CANCELED, RunState.RUNNING], ids=["cancelled", "goes on"])
def test_a_run_that_outlasts_the_execution_timeout_is_no_timeout_of_the_build(run_state: RunState) -> None:
    """A customizer that the task's own limit has met may be all right: no step's timeout, and `retries` decide."""
    log = sample_log("new-form-windows-hangs")
    customize = [{"type": "WindowsUpdate"}, {"type": "PowerShell", "name": "office"}]
    known = evidence(log, customize, "", run_state)

    overdue = diagnose(replace(known, is_overdue=True, time_limit="execution_timeout"))

    assert (overdue.failure_class, overdue.may_retry) == ("execution-timeout", None)
    assert overdue.lines()[0] == (
        "The task's time was over: execution-timeout, in customizer 2 of 2, 'office' (PowerShell)"
    )
    assert "`execution_timeout`" in overdue.remedy


def test_provisioning_error() -> None:
    """A creation that failed is diagnosed likewise."""
    properties = {
        "provisioningState": "Failed",
        "provisioningError": {
            "provisioningErrorCode": "BadSharedImageDistribute",
            "message": "Not authorized to access the resource: x",
        },
    }
    diagnosis = diagnose(evidence_of_creation(properties))

    assert (diagnosis.failure_class, diagnosis.step, diagnosis.place) == ("permission-missing", "create", "creation")
    assert diagnosis.lines()[0] == "The creation failed: permission-missing, in step create"
    assert "Service: BadSharedImageDistribute: Not authorized to access the resource: x" in diagnosis.lines()
    assert "or that resource is not there" in diagnosis.remedy


def test_without_log() -> None:
    """Without the log the service's words are all there is."""
    diagnosis = diagnose(evidence(None))

    assert (diagnosis.failure_class, diagnosis.output_tail, diagnosis.error_lines) == ("build-failed", (), ())
    assert diagnosis.log_location == ADDRESS


def test_unknown_failure() -> None:
    """A failure that nothing recognises is said to be unknown, with the end of the log."""
    diagnosis = diagnose(evidence("PACKER OUT     azure-arm: hm", message="The moon was in the wrong phase"))

    assert (diagnosis.failure_class, diagnosis.output_tail, diagnosis.may_retry) == ("unknown", ("hm",), None)
    assert {"End of the log:", "  hm", "Service: The moon was in the wrong phase"} <= set(diagnosis.lines())


def test_unknown_message_and_a_telling_log() -> None:
    """Where the message is new to us, the log still tells which customizer failed."""
    diagnosis = diagnose(evidence(sample_log("new-form-linux-failed"), message="new words"))

    assert (diagnosis.failure_class, diagnosis.customizer) == (
        "customizer-failed",
        BuildStep(1, "install-app", "Shell", 2),
    )


def test_secrets_are_not_shown() -> None:
    """Registered secrets and signatures are in no part of a diagnosis."""
    log = "PACKER OUT     azure-arm: E: login hunter22"
    diagnosis = diagnose(evidence(log, [], f"{PACKER} hunter22 ?sig=abc"), Masker(["hunter22"]))
    shown = json.dumps(diagnosis.to_json()) + " ".join(diagnosis.lines())

    assert "hunter22" not in shown
    assert "sig=abc" not in shown


@pytest.mark.parametrize("name", ["new-form-linux-failed", "new-form-windows-hangs"])
def test_diagnosis_travels_as_json(name: str) -> None:
    """A diagnosis survives JSON, and a member of a later release does no harm."""
    diagnosis = diagnose(evidence(sample_log(name)))

    assert Diagnosis.from_json(json.loads(json.dumps(diagnosis.to_json())) | {"a_later_member": 1}) == diagnosis


def test_a_refused_call_that_is_not_known() -> None:
    """What Azure says of a call may be anything."""
    assert diagnose(evidence_of_call("Teapot", "short and stout")).failure_class == "unknown"


@given(
    st.text(),
    st.sampled_from([*RunState, "Hibernating"]),
    st.lists(st.fixed_dictionaries({}, optional={"type": st.sampled_from(["Shell", "File"]), "name": st.text()})),
    st.none() | st.text(),
)
def test_anything_can_be_diagnosed(message: str, state: str, customize: list[dict[str, Any]], log: str | None) -> None:
    """Whatever the service says, there is a diagnosis of at most nine lines."""
    diagnosis = diagnose(evidence(log, customize, message, state))

    assert 1 <= len(diagnosis.lines()) <= 9
    assert diagnosis.failure_class


@pytest.mark.parametrize("name", ["new-form-linux-failed", "old-form-windows-failed", "new-form-windows-hangs"])
def test_at_most_nine_lines(name: str) -> None:
    """However much a build wrote, the task log gets nine lines."""
    log = sample_log(name).replace("\n", "\nPACKER OUT     azure-arm: error: more\nPACKER OUT     azure-arm: more\n")

    assert len(diagnose(evidence(log)).lines()) <= 9


@pytest.mark.parametrize("name", ["new-form-linux-failed", "old-form-windows-failed"])
def test_the_end_of_a_log_is_not_taken_for_the_whole(name: str) -> None:
    """However much of it lacks: a script that failed never reads as a machine that was never reached, or is counted."""
    lines = sample_log(name).splitlines()
    ends = [
        diagnose(Evidence(customization_log=read("\n".join(lines[-count:])), customize=LINUX))
        for count in range(1, len(lines))
    ]
    ends = [end for end in ends if end.customizer is None]

    assert len(ends) > 10
    assert {end.failure_class for end in ends if end.step is not None} == {"customizer-failed"}
    assert not any(end.may_retry for end in ends)
    assert any("lacks its beginning" in end.remedy for end in ends)


def test_the_log_of_a_run_is_whole_whatever_it_begins_with() -> None:
    """Azure may word its beginning anew: the customizers of a run's own log are counted all the same."""
    log = sample_log("new-form-linux-failed")
    start = log[: log.index("(telemetry) Starting provisioner")].rindex("\n") + 1

    found = diagnose(Evidence(place="run", run_state="Failed", customization_log=read(log[start:]), customize=LINUX))

    assert found.customizer is not None
    assert "lacks its beginning" not in found.remedy


def test_a_script_that_failed_tells_that_a_customizer_ran() -> None:
    """Packer's marks may have been filtered out of a log; which customizer it was is not known then."""
    log = "\n".join(line for line in sample_log("new-form-linux-failed").splitlines() if "telemetry" not in line)

    found = diagnose(Evidence(customization_log=read(log)))

    assert (found.failure_class, found.step, found.customizer) == ("customizer-failed", "customize", None)


def read(log: str) -> CustomizationLog:
    """Read a log for a diagnosis."""
    return parse_customization_log(log, log_signs())
