"""What a run that goes wrong says of itself: in its log, in its message, in its operation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Word one run.

    :param exit_code: what the failing script exits with
    :param output: last lines that the build VM writes; empty takes usual ones
    :param is_endless: whether that output goes on as long as a step hangs
    :param notes: lines of Packer's debug log, before the error
    :param ending: the error that the build ends with; empty takes the usual one about an exit status
    :param clean_up: what goes wrong while the build is cleared away
    :param code: error code of the operation; None takes the usual one
    :param message: what the service says; None takes the usual sentence
    :param opening: what stands before the usual sentence
    :param log_form: `new` or `old`
    """

    exit_code: int = 1
    output: tuple[str, ...] = ()
    is_endless: bool = False
    notes: tuple[str, ...] = ()
    ending: str = ""
    clean_up: tuple[str, ...] = ()
    code: str | None = None
    message: str | None = None
    opening: str = ""
    log_form: str = "new"


USUAL = Words()
