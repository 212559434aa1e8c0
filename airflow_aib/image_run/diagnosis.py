"""Status, log and customizers of a run that ended badly, folded into what went wrong and what helps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.customization_log import CustomizationLog, Provisioner, parse_customization_log
from airflow_aib.image_run.failure_signatures import Signature, find_signature
from airflow_aib.image_run.log_location import log_locations
from airflow_aib.image_run.run_status import LastRunStatus, RunState
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Packer's word for each of our customizers.
PROVISIONER_KINDS = {
    "Shell": "shell",
    "PowerShell": "powershell",
    "File": "file",
    "WindowsRestart": "windows-restart",
    "WindowsUpdate": "windows-update",
}

OUTPUT_TAIL_LINES = 5
_LONGEST_SHOWN = 400


@dataclass(frozen=True)
class Diagnosis:
    """Say what went wrong in a run.

    :param failure_class: stable name, as `customizer-failed`; `unknown` where nothing is recognised
    :param customizer_index: which customizer failed, from 0 in the image template's list
    :param customizer_name: its name, where it has one
    :param customizer_type: its type
    :param customizer_count: how many customizers there are
    :param exit_code: the code with which its command ended
    :param output_tail: its last output lines, or the log's
    :param service_message: the service's own words
    :param log_location: where the full log is
    :param remedy: what a person can do
    :param may_retry: whether the same run again can succeed without anybody changing anything
    """

    failure_class: str
    customizer_index: int | None = None
    customizer_name: str | None = None
    customizer_type: str | None = None
    customizer_count: int = 0
    exit_code: int | None = None
    output_tail: tuple[str, ...] = ()
    service_message: str = ""
    log_location: str | None = None
    remedy: str = ""
    may_retry: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give the diagnosis as JSON."""
        return asdict(self) | {"output_tail": list(self.output_tail)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Diagnosis:
        """Read what `to_json` wrote; unknown keys are ignored."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        return cls(**known | {"output_tail": tuple(value.get("output_tail") or ())})

    def lines(self) -> list[str]:
        """Give at most ten readable lines, for the end of a task log."""
        lines = [self._headline()]
        if self.output_tail:
            lines += ["Last output:", *(f"  {_shortened(line, 200)}" for line in self.output_tail)]
        if self.service_message:
            lines.append(f"Service: {_shortened(self.service_message, _LONGEST_SHOWN)}")
        lines.append(f"Full log: {self.log_location or 'the service names none'}")
        if self.remedy:
            again = "Running again may help." if self.may_retry else "Running again unchanged will not help."
            lines.append(f"What to do: {self.remedy} {again}")
        return lines

    def _headline(self) -> str:
        if self.customizer_index is None:
            return f"The run failed: {self.failure_class}"
        name = f", {self.customizer_name!r}" if self.customizer_name else ""
        code = f", exit code {self.exit_code}" if self.exit_code is not None else ""
        return (
            f"The run failed: {self.failure_class}, in customizer {self.customizer_index + 1} of "
            f"{self.customizer_count}{name} ({self.customizer_type}){code}"
        )


def diagnose(
    status: LastRunStatus,
    customize: Sequence[Mapping[str, Any]],
    log_text: str | None,
    *,
    secrets: Sequence[str] = (),
) -> Diagnosis:
    """Say what went wrong in a run.

    :param status: the last one seen; of a run that does not end, the diagnosis says where it hangs
    :param customize: the image template's list of customizers
    :param log_text: the customization log, or None where it could not be read
    :param secrets: texts that must not be shown
    """
    masker = Masker(secrets)
    log = parse_customization_log(log_text or "")
    signature = _classify(status, log_text or "", log, len(customize))
    failed = log.failed if signature.names_customizer else None
    where = _customizer_index(failed, customize)
    customizer = customize[where] if where is not None else {}
    shown = log.failed.output if log.failed is not None and log.failed.output else log.tail
    locations = log_locations(status.message)
    return Diagnosis(
        failure_class=signature.failure_class,
        customizer_index=where,
        customizer_name=customizer.get("name") or None,
        customizer_type=customizer.get("type") or None,
        customizer_count=len(customize),
        exit_code=failed.exit_code if failed is not None else None,
        output_tail=tuple(masker.mask(line) for line in shown[-OUTPUT_TAIL_LINES:]),
        service_message=masker.mask(" ".join(status.message.split())),
        log_location=locations[0].address if locations else None,
        remedy=signature.remedy,
        may_retry=signature.may_retry,
    )


_UNKNOWN = Signature(
    "unknown", "Nothing of this failure is recognised: read the service's message and the end of the log."
)
_CANCELED = Signature("canceled", "Somebody cancelled the run: start it again if that was a mistake.", may_retry=True)
_HANGS = Signature(
    "still-running",
    "Find in the log what hangs or takes long; correct it, raise buildTimeoutInMinutes, or use a larger VM.",
    names_customizer=True,
)
_PARTLY = Signature(
    "distribution-partly-failed",
    "Some distributors have their image, others not: compare run outputs with the image template's distributors.",
)
_CUSTOMIZER_FAILED = Signature(
    "customizer-failed", "Read the customizer's output and correct it.", names_customizer=True
)
_DEPROVISION_FAILED = Signature(
    "deprovision-failed",
    "All customizers succeeded, generalising the machine failed: look whether one of them replaces or deletes "
    "/tmp/DeprovisioningScript.sh or c:\\DeprovisioningScript.ps1, or what it calls.",
)
_VM_NOT_READY = Signature(
    "build-vm-not-ready",
    "No customizer had begun: the build VM could not be made or reached. Read the errors at the end of the log.",
    may_retry=True,
)
_CAPTURE_FAILED = Signature(
    "capture-failed",
    "All customizers succeeded, capturing the machine failed: read the errors at the end of the log.",
    may_retry=True,
)


def _classify(status: LastRunStatus, log_text: str, log: CustomizationLog, customizers: int) -> Signature:
    if status.run_state == RunState.CANCELED:
        return _CANCELED
    if not status.is_over:
        return _HANGS
    signature = find_signature(status.message, log_text, log.failed.kind if log.failed else None)
    if signature is not None and signature.failure_class != "build-failed":
        return signature
    by_log = _classify_by_log(log, customizers)
    if by_log is not None:
        return by_log
    return _PARTLY if status.run_state == RunState.PARTIALLY_SUCCEEDED else signature or _UNKNOWN


def _classify_by_log(log: CustomizationLog, customizers: int) -> Signature | None:
    """Say which part of the build failed, where the service only says that it did."""
    if log.failed is not None:
        # One provisioner more than there are customizers: AIB's own last step.
        return _CUSTOMIZER_FAILED if log.failed.index < customizers else _DEPROVISION_FAILED
    if not log.errors:
        return None
    return _CAPTURE_FAILED if log.provisioners else _VM_NOT_READY


def _customizer_index(failed: Provisioner | None, customize: Sequence[Mapping[str, Any]]) -> int | None:
    """Find which customizer a provisioner is; None rather than a guess where their kinds do not agree."""
    if failed is None or failed.index >= len(customize):
        return None
    expected = PROVISIONER_KINDS.get(str(customize[failed.index].get("type")))
    return failed.index if expected in {None, failed.kind} else None


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
