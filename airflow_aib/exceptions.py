"""Every error that this provider raises, as one tree.

ImageBuilderError
├── ImageTemplateError               our input is wrong; retrying cannot help
│   ├── ImageTemplateReadError       the document cannot be read
│   ├── ImageTemplateRenderError     it cannot be filled in
│   ├── ImageTemplateCheckError      it would be refused, or build something else than was meant
│   └── ImageTemplateEditError       its file cannot be edited without losing something
├── ImageTemplateInUseError          another run goes on, or something would be lost
├── ConnectionSettingsError          the Airflow connection is incomplete or wrong
├── ArmRequestError                  Azure said no
│   └── ImageTemplateStuckError      it stays Creating, Updating or Deleting
├── ImageRunError                    a run ended badly
│   ├── ImageRunFailedError
│   ├── ImageRunCanceledError
│   ├── ImageRunTimeoutError         it did not end within its time
│   │   └── ImageRunStuckError       it was cancelled, and stays Canceling
│   └── ImageRunWatchError           it could not be watched for too long; it goes on
├── ImageArtifactMissingError        a distributor left no artifact
├── VhdCopyError                     the image template stays, the copy resumes
└── SourceImageError                 the source version is withdrawn, excluded or not replicated

They are plain exceptions, so that the pure packages can raise them. `str()` says what is wrong, where, and what to do
next; `data` keeps the same facts for programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


# What each error has; and what Python itself writes into one.
NOT_FACTS = frozenset({"message", "hint", "diagnosis", "data", "__notes__"})


class RunStatusFacts(Protocol):
    """Name what an error needs to know of a run's status; `LastRunStatus` has it."""

    def to_json(self) -> dict[str, Any]:
        """Give the status as JSON."""
        ...


class DiagnosisFacts(Protocol):
    """Name what an error needs to know of a diagnosis; `Diagnosis` has it."""

    @property
    def failure_class(self) -> str:
        """Stable name of what went wrong."""
        ...

    @property
    def may_retry(self) -> bool | None:
        """Whether the same again can succeed; None where nobody can know."""
        ...

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait before."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Give the diagnosis as JSON."""
        ...

    def lines(self) -> list[str]:
        """Give the diagnosis as a few readable lines."""
        ...


class ImageBuilderError(Exception):
    """Be the root of all errors of this provider.

    :param message: what is wrong and where
    :param hint: what to do next
    :param diagnosis: what we make of it, where Azure has said something that is known
    :param data: the same facts for programs; never a secret
    """

    def __init__(
        self, message: str, *, hint: str | None = None, diagnosis: DiagnosisFacts | None = None, **data: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.diagnosis = diagnosis
        self.data = data

    @property
    def facts(self) -> dict[str, Any]:
        """What else it carries, under the names with which the same error can be made again."""
        named = {name: value for name, value in vars(self).items() if name not in NOT_FACTS}
        return {**self.data, **named}

    def __str__(self) -> str:
        """Say what, where, and what next."""
        if not self.hint:
            return self.message
        stop = "" if self.message.endswith((".", "!", "?", ":", "\n")) else "."
        return f"{self.message}{stop} {self.hint}"


class ImageTemplateError(ImageBuilderError):
    """Report a document, parameters, a resource id or an address that is wrong; retrying cannot help."""


class ImageTemplateReadError(ImageTemplateError):
    """Report a document that cannot be read.

    :param source: the file, or `<dict>`
    :param line: where, from 1
    :param column: where, from 1
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        source: str | None = None,
        line: int | None = None,
        column: int | None = None,
        **data: Any,
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.source = source
        self.line = line
        self.column = column


class ImageTemplateRenderError(ImageTemplateError):
    """Report a document that cannot be filled in.

    :param missing: the names that have no value, all of them
    """

    def __init__(self, message: str, *, hint: str | None = None, missing: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, hint=hint, **data)
        self.missing = tuple(missing)


class ImageTemplateCheckError(ImageTemplateError):
    """Report findings that make it useless to submit the image template.

    :param findings: all of them, worst first
    """

    def __init__(self, message: str, *, hint: str | None = None, findings: Sequence[Any] = (), **data: Any) -> None:
        super().__init__(message, hint=hint, **data)
        self.findings = tuple(findings)


class ImageTemplateEditError(ImageTemplateError):
    """Report a file that cannot be edited by a program without losing something; it stays as it is."""


class ImageTemplateInUseError(ImageBuilderError):
    """Report an image template that is not free: another run goes on, or replacing or deleting it would lose something.

    :param image_template_id: resource id
    """

    def __init__(
        self, message: str, *, hint: str | None = None, image_template_id: str | None = None, **data: Any
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.image_template_id = image_template_id


class ConnectionSettingsError(ImageBuilderError):
    """Report an Airflow connection that is incomplete or wrong."""


class ArmRequestError(ImageBuilderError):
    """Report what Azure refused or could not do.

    :param code: Azure's error code
    :param target: the resource id or address that it concerns, without signatures
    :param request_id: `x-ms-request-id`, for Azure's support
    :param status: HTTP status
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        target: str | None = None,
        request_id: str | None = None,
        status: int | None = None,
        **data: Any,
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.code = code
        self.target = target
        self.request_id = request_id
        self.status = status


class ImageTemplateStuckError(ArmRequestError):
    """Report an image template that stays `Creating`, `Updating` or `Deleting` beyond its time."""


class ImageRunError(ImageBuilderError):
    """Report a run that ended badly.

    :param image_template_id: resource id
    :param last_run_status: what the service said last about the run
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        image_template_id: str | None = None,
        last_run_status: RunStatusFacts | None = None,
        **data: Any,
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.image_template_id = image_template_id
        self.last_run_status = last_run_status


class ImageRunFailedError(ImageRunError):
    """Report a run that ended `Failed`, or `PartiallySucceeded` where that is not enough."""


class ImageRunCanceledError(ImageRunError):
    """Report a run that somebody cancelled."""


class ImageRunTimeoutError(ImageRunError):
    """Report a run that did not end within its time."""


class ImageRunStuckError(ImageRunTimeoutError):
    """Report a run that was cancelled and stays `Canceling` beyond its time."""


class ImageRunWatchError(ImageRunError):
    """Report that the run could not be watched for too long; the run itself goes on."""


class ImageArtifactMissingError(ImageBuilderError):
    """Report distributors that left no artifact.

    :param run_output_names: those of the distributors
    """

    def __init__(
        self, message: str, *, hint: str | None = None, run_output_names: Sequence[str] = (), **data: Any
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.run_output_names = tuple(run_output_names)


class VhdCopyError(ImageBuilderError):
    """Report a VHD that is not copied, or not equal to its source; the image template stays and the copy resumes.

    :param source: address of the VHD without signature
    :param destination: address of the copy without signature
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        source: str | None = None,
        destination: str | None = None,
        **data: Any,
    ) -> None:
        super().__init__(message, hint=hint, **data)
        self.source = source
        self.destination = destination


class SourceImageError(ImageBuilderError):
    """Report a source image that is not there, withdrawn, excluded or not replicated; retrying cannot help."""
