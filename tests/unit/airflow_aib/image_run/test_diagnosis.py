from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.diagnosis import Diagnosis, diagnose
from airflow_aib.image_run.run_status import LastRunStatus, RunState
from tests.unit.airflow_aib.image_run.sample_logs import sample_log
from tests.unit.airflow_aib.image_run.test_failure_signatures import PACKER, TIMEOUT

ADDRESS = (
    "https://abcdefghijklmnopqrstuvwx.blob.core.windows.net/packerlogs/11111111-2222-3333-4444-555555555555"
    "/customization.log"
)
MESSAGE = f"{PACKER}. Image Build log location: {ADDRESS}. OperationId: 3f0c9f6e-6a59-4c5e-9f36-0f1d9f6d2b11."

LINUX = [{"type": "Shell", "name": "harden"}, {"type": "Shell", "name": "install-app"}]
WINDOWS = [{"type": "PowerShell"}, {"type": "WindowsRestart"}, {"type": "PowerShell"}]


def status(message: str = MESSAGE, run_state: str = "Failed") -> LastRunStatus:
    """Build the status of a run."""
    return LastRunStatus(run_state, None, "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", message)


def test_failed_customizer() -> None:
    """The customizer that failed is named with index, type, exit code and its last lines."""
    diagnosis = diagnose(status(), LINUX, sample_log("new-form-linux-failed"))

    assert diagnosis.failure_class == "customizer-failed"
    assert (diagnosis.customizer_index, diagnosis.customizer_name) == (1, "install-app")
    assert (diagnosis.customizer_type, diagnosis.customizer_count) == ("Shell", 2)
    assert diagnosis.exit_code == 22
    assert diagnosis.output_tail[-1] == "curl: (22) The requested URL returned error: 404"
    assert diagnosis.log_location == ADDRESS
    assert not diagnosis.may_retry


def test_customizer_without_name() -> None:
    """A customizer that has no name is told by number and type."""
    diagnosis = diagnose(status(), WINDOWS, sample_log("old-form-windows-failed"))

    assert (
        diagnosis.lines()[0] == "The run failed: customizer-failed, in customizer 3 of 3 (PowerShell), exit code 1619"
    )


def test_no_customizer_is_named_by_a_guess() -> None:
    """Where the log's kinds are not those of the list, no customizer is named."""
    diagnosis = diagnose(status(), [{"type": "File"}] * 3, sample_log("old-form-windows-failed"))

    assert diagnosis.failure_class == "customizer-failed"
    assert (diagnosis.customizer_index, diagnosis.customizer_name) == (None, None)
    assert diagnosis.exit_code == 1619


def test_lines_for_the_task_log() -> None:
    """The end of the task log says who failed, the last output, the service's words, the log's place and what to do."""
    lines = diagnose(status(), LINUX, sample_log("new-form-linux-failed")).lines()

    assert lines[0] == "The run failed: customizer-failed, in customizer 2 of 2, 'install-app' (Shell), exit code 22"
    assert lines[1:5] == [
        "Last output:",
        "  Provisioning with shell script: /tmp/packer-shell78",
        "  fetching https://store.example/app.tgz?sv=2022&sig=***",
        "  curl: (22) The requested URL returned error: 404",
    ]
    assert lines[5].startswith("Service: Failed while waiting for packerizer")
    assert lines[6] == f"Full log: {ADDRESS}"
    assert lines[7] == "What to do: Read the customizer's output and correct it. Running again unchanged will not help."


def test_failed_deprovisioning_is_no_customizers() -> None:
    """AIB's own last step is not taken for a customizer."""
    diagnosis = diagnose(status(), [{"type": "Shell"}], sample_log("old-form-linux-deprovision-failed"))

    assert (diagnosis.failure_class, diagnosis.customizer_index) == ("deprovision-failed", None)
    assert diagnosis.output_tail[-1].endswith("waagent: not found")


def test_failure_before_any_customizer() -> None:
    """Where no customizer had begun, none is blamed, and running again may help."""
    diagnosis = diagnose(status(), WINDOWS, sample_log("new-form-windows-deployment-failed"))

    assert (diagnosis.failure_class, diagnosis.customizer_index) == ("build-vm-not-ready", None)
    assert any("SkuNotAvailable" in line for line in diagnosis.output_tail)
    assert diagnosis.may_retry


def test_failure_in_capture() -> None:
    """A failure after the last customizer and before the end is told apart."""
    log = sample_log("old-form-linux-succeeded").replace(
        "PACKER OUT Build 'azure-arm' finished.", "PACKER OUT Build 'azure-arm' errored: no snapshot"
    )

    assert diagnose(status(), LINUX, log).failure_class == "capture-failed"


def test_timeout_names_where_it_hung() -> None:
    """A build that ran out of time is diagnosed with the customizer in which it hung."""
    customize = [{"type": "WindowsUpdate"}, {"type": "PowerShell", "name": "office"}]
    diagnosis = diagnose(status(TIMEOUT), customize, sample_log("new-form-windows-hangs"))

    assert (diagnosis.failure_class, diagnosis.customizer_name) == ("build-timeout", "office")
    assert diagnosis.output_tail[-1] == "Do you accept the licence? [y/n]"


def test_run_that_does_not_end() -> None:
    """A run past its deadline that still goes on is diagnosed with where it is."""
    customize = [{"type": "WindowsUpdate"}, {"type": "PowerShell", "name": "office"}]
    diagnosis = diagnose(status("", RunState.RUNNING), customize, sample_log("new-form-windows-hangs"))

    assert (diagnosis.failure_class, diagnosis.customizer_name) == ("still-running", "office")


def test_canceled() -> None:
    """A canceled run is no failure of anybody's customizer."""
    diagnosis = diagnose(
        status("The build was canceled", RunState.CANCELED), LINUX, sample_log("new-form-linux-failed")
    )

    assert (diagnosis.failure_class, diagnosis.customizer_index, diagnosis.may_retry) == ("canceled", None, True)


def test_partly_succeeded() -> None:
    """A partial success is a matter of the distributors."""
    diagnosis = diagnose(status("", RunState.PARTIALLY_SUCCEEDED), LINUX, sample_log("old-form-linux-succeeded"))

    assert (diagnosis.failure_class, diagnosis.customizer_index) == ("distribution-partly-failed", None)


def test_without_log() -> None:
    """Without the log the service's words are all there is."""
    diagnosis = diagnose(status(), LINUX, None)

    assert (diagnosis.failure_class, diagnosis.output_tail) == ("build-failed", ())
    assert diagnosis.log_location == ADDRESS


def test_unknown_failure() -> None:
    """A failure that nothing recognises is said to be unknown, with the end of the log."""
    diagnosis = diagnose(status("The moon was in the wrong phase"), [], "PACKER OUT     azure-arm: hm")

    assert (diagnosis.failure_class, diagnosis.output_tail) == ("unknown", ("hm",))
    assert "The moon was in the wrong phase" in " ".join(diagnosis.lines())


def test_unknown_message_and_a_telling_log() -> None:
    """Where the message is new to us, the log still tells which customizer failed."""
    diagnosis = diagnose(status("new words"), LINUX, sample_log("new-form-linux-failed"))

    assert (diagnosis.failure_class, diagnosis.customizer_name) == ("customizer-failed", "install-app")


def test_secrets_are_not_shown() -> None:
    """Registered secrets and signatures are in no part of a diagnosis."""
    log = "PACKER OUT     azure-arm: login hunter22"
    diagnosis = diagnose(status(f"{PACKER} hunter22 ?sig=abc"), [], log, secrets=["hunter22"])
    shown = json.dumps(diagnosis.to_json()) + " ".join(diagnosis.lines())

    assert "hunter22" not in shown
    assert "sig=abc" not in shown


def test_diagnosis_travels_as_json() -> None:
    """A diagnosis survives JSON, and a member of a later release does no harm."""
    diagnosis = diagnose(status(), LINUX, sample_log("new-form-linux-failed"))

    assert Diagnosis.from_json(json.loads(json.dumps(diagnosis.to_json())) | {"a_later_member": 1}) == diagnosis


@given(
    st.text(),
    st.sampled_from([*RunState, "Hibernating"]),
    st.lists(st.fixed_dictionaries({}, optional={"type": st.sampled_from(["Shell", "File"]), "name": st.text()})),
    st.none() | st.text(),
)
def test_anything_can_be_diagnosed(message: str, state: str, customize: list[dict[str, Any]], log: str | None) -> None:
    """Whatever the service says, there is a diagnosis of at most ten lines."""
    diagnosis = diagnose(status(message, state), customize, log)

    assert 1 <= len(diagnosis.lines()) <= 10
    assert diagnosis.failure_class


@pytest.mark.parametrize("name", ["new-form-linux-failed", "old-form-windows-failed"])
def test_at_most_ten_lines(name: str) -> None:
    """However much a build wrote, the task log gets ten lines."""
    log = sample_log(name).replace("\n", "\nPACKER OUT     azure-arm: more\n")

    assert len(diagnose(status(), LINUX, log).lines()) == 10
