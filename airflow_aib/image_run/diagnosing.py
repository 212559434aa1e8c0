"""From what is known to what went wrong: status, logs and image template folded into one diagnosis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_aib.image_run.diagnosis import BuildStep, Diagnosis
from airflow_aib.image_run.failure_signature import Signature, Traits
from airflow_aib.image_run.failure_signatures import (
    ENDLESS_SIGNATURES,
    SIGNATURES,
    SIGNATURES_OF_LOGS,
    VAGUE_SIGNATURES,
    find_signature,
)
from airflow_aib.image_run.log_location import log_locations
from airflow_aib.image_run.provisioner import kept, told_exit_code
from airflow_aib.image_run.run_status import FINAL_RUN_STATES, RunState
from airflow_aib.image_run.step_failures import (
    CANCELED,
    CANCELING,
    EXECUTION_TIMEOUT,
    EXIT_CODE_REMEDIES,
    FAILED_IN,
    INTERRUPTED,
    LOG_UNFINISHED,
    NO_FAILURE,
    PARTLY_DISTRIBUTED,
    STILL_RUNNING,
    TIMED_OUT,
    TIMED_OUT_IN,
    UNKNOWN,
)
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from airflow_aib.image_run.customization_log import CustomizationLog
    from airflow_aib.image_run.evidence import Evidence, Members
    from airflow_aib.image_run.provisioner import Provisioner

# Packer's word for each of our customizers and validators.
PROVISIONER_KINDS = {
    "Shell": "shell",
    "PowerShell": "powershell",
    "File": "file",
    "WindowsRestart": "windows-restart",
    "WindowsUpdate": "windows-update",
}
_TYPES = {kind: name for name, kind in PROVISIONER_KINDS.items()}

OUTPUT_TAIL_LINES = 10
_TIMEOUT_WORDS = ("Timeout waiting for microservice to complete", "context deadline exceeded")
# Of these, the whole run is the matter, and no step of it.
_STEPLESS = frozenset({CANCELED, NO_FAILURE})
_CUT_SHORT = frozenset({RunState.CANCELED, RunState.RUNNING})


def diagnose(evidence: Evidence, masker: Masker | None = None) -> Diagnosis:
    """Say what went wrong.

    :param evidence: what is known
    :param masker: takes secrets out; without it, only what looks like one is taken out
    """
    masker = masker or Masker()
    misfit = _misfit(evidence)
    if misfit:
        evidence = replace(evidence, customize=None, validators=None)
    step = find_step(evidence)
    signature = _classify(evidence, step)
    step = None if signature in _STEPLESS else (signature.step or step)
    is_of_script = step in {"customize", "validate", "deprovision"}
    failed = evidence.failed if is_of_script else None
    exit_code = _exit_code(evidence) if is_of_script else None
    counted = None if _is_end_of_log(evidence) else failed
    return Diagnosis(
        failure_class=signature.failure_class,
        meaning=signature.meaning,
        place=evidence.place,
        step=step,
        customizer=_find_build_step(counted, evidence.customize) if step == "customize" else None,
        validator=_find_build_step(counted, evidence.validators) if step == "validate" else None,
        exit_code=exit_code,
        error_lines=kept(_error_lines(evidence), masker) if signature != NO_FAILURE else (),
        output_tail=kept(_tail(evidence), masker),
        service_code=evidence.code or None,
        service_message=masker.mask(" ".join(evidence.message.split())),
        log_location=next((place.address for place in log_locations(evidence.message)), None),
        remedy=f"{_remedy(signature, exit_code)} {misfit}".strip(),
        documentation=signature.documentation,
        may_retry=signature.retry.may_help,
        retry_after=signature.retry.after,
    )


# Packer's words for a script that failed, and for whatever went wrong once the machine was reached.
_SCRIPT_FAILED, _PROVISIONING_FAILED = "Script exited with non-zero exit status", "Provisioning step had errors"


def find_step(evidence: Evidence) -> str | None:
    """Say in which step of the build it came about; None where nobody can know."""
    if evidence.place == "creation":
        return "create"
    if evidence.is_of_validation:
        return "validate"
    if evidence.log is None:
        return {"Validating": "validate", "Distributing": "distribute"}.get(evidence.run_sub_state)
    return _step_by_log(evidence, evidence.log)


def _step_by_log(evidence: Evidence, log: CustomizationLog) -> str | None:
    if log.failed is not None:
        return "deprovision" if _is_deprovision(log.failed, evidence.customize) else "customize"
    if log.errors:
        return _step_of_errors(log)
    if log.last_phase == "end" or log.has_finished:
        return _step_after_build(evidence)
    return log.last_phase


def _step_of_errors(log: CustomizationLog) -> str | None:
    """Say where the build failed, if in no provisioner that shows; what came later was only cleared away."""
    if log.provisioners:
        return "capture"
    errors = "\n".join(log.errors)
    if _SCRIPT_FAILED in errors:
        return "customize"
    if log.lacks_beginning or _PROVISIONING_FAILED in errors:
        return None
    return "connect" if any(phase.name == "connect" for phase in log.phases) else "deploy"


def _step_after_build(evidence: Evidence) -> str | None:
    if evidence.place != "run":
        return None
    return "validate" if evidence.run_sub_state == "Validating" else "distribute"


def _classify(evidence: Evidence, step: str | None) -> Signature:
    traits = _traits(evidence, step)
    return (
        _by_state(evidence, traits)
        or find_signature(traits, SIGNATURES)
        or _by_timeout(evidence, traits)
        or find_signature(traits, SIGNATURES_OF_LOGS)
        or _by_log(evidence, traits)
        or (PARTLY_DISTRIBUTED if evidence.run_state == RunState.PARTIALLY_SUCCEEDED else None)
        or find_signature(traits, VAGUE_SIGNATURES)
        or (_by_end_of_log(evidence.log) if evidence.place == "log" and evidence.log else None)
        or UNKNOWN
    )


def _by_state(evidence: Evidence, traits: Traits) -> Signature | None:
    if evidence.place != "run":
        return None
    if evidence.is_overdue and evidence.time_limit == "execution_timeout" and evidence.run_state in _CUT_SHORT:
        # Whatever it was at by then may have been all right.
        return EXECUTION_TIMEOUT
    if evidence.is_overdue and evidence.run_state == RunState.CANCELED:
        return _timed_out(traits)
    if evidence.run_state not in FINAL_RUN_STATES:
        return CANCELING if evidence.run_state == RunState.CANCELING else STILL_RUNNING
    return {RunState.CANCELED: CANCELED, RunState.SUCCEEDED: NO_FAILURE}.get(RunState(evidence.run_state))


def _by_timeout(evidence: Evidence, traits: Traits) -> Signature | None:
    return _timed_out(traits) if any(words in evidence.message for words in _TIMEOUT_WORDS) else None


def _timed_out(traits: Traits) -> Signature:
    return find_signature(traits, ENDLESS_SIGNATURES) or TIMED_OUT_IN.get(traits.step or "", TIMED_OUT)


def _by_log(evidence: Evidence, traits: Traits) -> Signature | None:
    """Say which part of the build failed, where the service only says that it did."""
    log = evidence.log
    if log is None:
        # The service names the validators' log, even if it cannot be read.
        return FAILED_IN["validate"] if evidence.is_of_validation else None
    if log.interrupted_in is not None and not log.errors:
        return find_signature(traits, ENDLESS_SIGNATURES) or INTERRUPTED
    if evidence.place == "log" and not log.errors:
        return None
    return FAILED_IN.get(traits.step or "") if log.failed is not None or log.errors else None


def _by_end_of_log(log: CustomizationLog) -> Signature | None:
    """Judge a log in which nothing is wrong, if it is one at all."""
    if log.has_finished or log.is_complete:
        return NO_FAILURE
    return LOG_UNFINISHED if log.phases or log.provisioners else None


def _traits(evidence: Evidence, step: str | None) -> Traits:
    log, failed = evidence.log, evidence.failed
    return Traits(
        place=evidence.place,
        message=evidence.words,
        signs=_signs(log) if log is not None else frozenset(),
        step=step,
        provisioner=failed.kind if failed is not None else None,
        hangs=log is not None and _hangs(log),
        has_network_trouble=failed is not None and failed.has_network_trouble,
        last_errors=failed.last_errors if failed is not None else (),
    )


def _hangs(log: CustomizationLog) -> bool:
    """Whether its provisioner neither ended nor failed; what Packer says once it was interrupted is no failure."""
    if log.failed is None or log.failed.has_ended:
        return False
    return not log.errors or log.interrupted_in == "customize"


def _signs(log: CustomizationLog) -> frozenset[str]:
    """Give the words in that part of the log that has to do with the failure: others have had no consequence."""
    if log.failed is not None:
        return log.failed.signs | log.signs_after
    return log.signs_after if log.provisioners else log.signs_before


def _error_lines(evidence: Evidence) -> tuple[str, ...]:
    log = evidence.log
    if log is None:
        return ()
    return log.failed.error_lines if log.failed is not None else log.errors


def _exit_code(evidence: Evidence) -> int | None:
    log = evidence.log
    if log is None:
        return None
    # In the end of a log no step may have begun.
    return log.failed.exit_code if log.failed is not None else told_exit_code(log.errors)


def _tail(evidence: Evidence) -> tuple[str, ...]:
    log = evidence.log
    if log is None:
        return ()
    output = log.failed.output if log.failed is not None and log.failed.output else log.tail
    return output[-OUTPUT_TAIL_LINES:]


def _remedy(signature: Signature, exit_code: int | None) -> str:
    if signature != FAILED_IN["customize"] or exit_code not in EXIT_CODE_REMEDIES:
        return signature.remedy
    return f"{signature.remedy} {EXIT_CODE_REMEDIES[exit_code]}"


def _is_deprovision(failed: Provisioner, customize: Members | None) -> bool:
    """Whether it is AIB's own last step: one more than there are customizers."""
    return failed.is_deprovision if customize is None else failed.index >= len(customize)


def _misfit(evidence: Evidence) -> str:
    """Say why the document cannot be compared with the log: one is another, or is not whole; empty if it may be."""
    if _is_end_of_log(evidence):
        return "The log lacks its beginning, so that its steps cannot be counted."
    members = evidence.validators if evidence.is_of_validation else evidence.customize
    failed = evidence.failed
    if evidence.place != "log" or members is None or failed is None:
        return ""
    if failed.index < len(members):
        is_so = _is_of_kind(failed, members[failed.index])
        return "" if is_so else f"The document does not fit the log: its step {failed.index + 1} is of another type."
    if failed.is_deprovision:
        return ""
    # The service's own step, which comes after all customizers, names its script.
    return f"The document does not fit the log: step {failed.index + 1} failed, and it has {len(members)}."


def _is_end_of_log(evidence: Evidence) -> bool:
    # A run's own log is read whole, whatever words Azure begins it with; those of a validation log are not recorded.
    if evidence.place != "log" or evidence.is_of_validation:
        return False
    log = evidence.log
    return log is not None and log.lacks_beginning and bool(log.provisioners or log.errors)


def _is_of_kind(failed: Provisioner, member: Mapping[str, Any]) -> bool:
    return PROVISIONER_KINDS.get(str(member.get("type"))) in {None, failed.kind}


def _find_build_step(failed: Provisioner | None, members: Members | None) -> BuildStep | None:
    """Find which member of the image template a provisioner is; None rather than a guess where kinds do not agree."""
    if failed is None:
        return None
    if members is None:
        return BuildStep(failed.index, type=_TYPES.get(failed.kind))
    if failed.index >= len(members):
        return None
    member = members[failed.index]
    if not _is_of_kind(failed, member):
        return None
    return BuildStep(failed.index, member.get("name") or None, member.get("type") or None, len(members))
