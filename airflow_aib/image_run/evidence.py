"""What is known of something that went wrong, gathered from wherever it is to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.log_location import log_locations

if TYPE_CHECKING:
    from airflow_aib.image_run.customization_log import CustomizationLog
    from airflow_aib.image_run.deadline import TimeLimit
    from airflow_aib.image_run.failure_signature import Place
    from airflow_aib.image_run.provisioner import Provisioner
    from airflow_aib.image_run.run_status import LastRunStatus

VALIDATION_LOG = "validation.log"

Members = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Evidence:
    """Hold what is known.

    :param place: where it showed: in a run, in a creation, in a call, or in a log alone
    :param run_state: of the run; empty where it is not known
    :param run_sub_state: what it was at
    :param code: the service's error code
    :param message: the service's words
    :param customize: the image template's customizers; None where they are not known
    :param validators: its validators in the build VM; None where they are not known
    :param customization_log: the log of the build; None where there is none, or it could not be read
    :param validation_log: the log of the validators
    :param is_overdue: whether the run was cancelled since its time was over
    :param time_limit: which limit's time that was
    """

    place: Place = "log"
    run_state: str = ""
    run_sub_state: str = ""
    code: str = ""
    message: str = ""
    customize: Members | None = None
    validators: Members | None = None
    customization_log: CustomizationLog | None = None
    validation_log: CustomizationLog | None = None
    is_overdue: bool = False
    time_limit: TimeLimit = "build_timeout"

    @property
    def words(self) -> str:
        """The service's code and message."""
        return f"{self.code}: {self.message}" if self.code else self.message

    @property
    def is_of_validation(self) -> bool:
        """Whether it is the validators that went wrong, not the build."""
        places = log_locations(self.message)
        if places:
            return places[0].blob == VALIDATION_LOG
        build, validation = self.customization_log, self.validation_log
        if validation is None or build is None:
            return validation is not None
        return validation.failed is not None and build.failed is None

    @property
    def log(self) -> CustomizationLog | None:
        """The log that tells of it."""
        return self.validation_log if self.is_of_validation else self.customization_log

    @property
    def failed(self) -> Provisioner | None:
        """The provisioner in which it went wrong."""
        return self.log.failed if self.log is not None else None


def evidence_of_run(
    status: LastRunStatus,
    properties: Mapping[str, Any],
    customization_log: CustomizationLog | None = None,
    validation_log: CustomizationLog | None = None,
) -> Evidence:
    """Gather what is known of a run.

    :param status: the last one seen; of a run that does not end, the diagnosis says where it hangs
    :param properties: the image template's
    :param customization_log: as far as there is one
    :param validation_log: as far as there is one
    """
    return Evidence(
        place="run",
        run_state=status.run_state,
        run_sub_state=status.run_sub_state or "",
        message=status.message,
        customize=_members(properties.get("customize")),
        validators=_members(_mapping(properties.get("validate")).get("inVMValidations")),
        customization_log=customization_log,
        validation_log=validation_log,
    )


def evidence_of_creation(properties: Mapping[str, Any]) -> Evidence:
    """Gather what an image template says about its own creation, which failed.

    :param properties: the image template's, with `provisioningError`
    """
    error = _mapping(properties.get("provisioningError"))
    code = str(error.get("provisioningErrorCode") or "")
    return Evidence(place="creation", code=code, message=str(error.get("message") or ""))


def evidence_of_call(code: str | None, message: str) -> Evidence:
    """Gather what Azure has answered to a call that it did not carry out."""
    return Evidence(place="call", code=code or "", message=message)


def evidence_of_log(
    log: CustomizationLog, file_name: str = "", properties: Mapping[str, Any] | None = None
) -> Evidence:
    """Gather what a log alone tells.

    :param log: read
    :param file_name: of the log: a validation log is one of validators
    :param properties: of the image template that left it; None where they are not known
    """
    is_validation = file_name.startswith(VALIDATION_LOG)
    known = properties if properties is not None else {}
    return Evidence(
        customize=None if properties is None else _members(known.get("customize")),
        validators=None if properties is None else _members(_mapping(known.get("validate")).get("inVMValidations")),
        customization_log=None if is_validation else log,
        validation_log=log if is_validation else None,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _members(value: object) -> Members:
    return [member for member in value if isinstance(member, Mapping)] if isinstance(value, list | tuple) else []
