"""Planned failures of Image Builder: which image templates they strike, at which point, and how."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PUT, CREATION, RUN_CALL, RUN, CANCEL, DELETE, GET = "put", "creation", "run call", "run", "cancel", "delete", "get"
KINDS = {
    "creation": CREATION,
    "customizer": RUN,
    "validator": RUN,
    "hang": RUN,
    "partial": RUN,
    "late_success": RUN,
    "withdrawn_source": RUN,
    "staging_deleted": RUN,
    "gateway_timeout": RUN_CALL,
    "spurious_error": GET,
    "stuck_creating": PUT,
    "stuck_canceling": CANCEL,
    "stuck_deleting": DELETE,
    "catalogue": "",
}
"""What can go wrong, and at which point of an image template's life it strikes; the catalogue says so by itself."""
MOMENTS = ("before", "after")


class PlannedFailureError(ValueError):
    """The description of a failure makes no sense."""


@dataclass
class PlannedFailure:
    """Plan that something goes wrong with an image template.

    :param image_template: name of the image template, or `*`
    :param kind: one of `KINDS`
    :param name: of a failure of the catalogue
    :param at: the point at which that strikes, where there are several
    :param index: which customizer, validator or distributor, from 0
    :param indexes: of `partial`: which distributors, in place of `index`
    :param exit_code: what the failing script exits with
    :param count: how many times it strikes
    :param message: text of the service, in place of the usual one
    :param code: error code of the service, in place of the usual one
    :param output: last lines that the failing script writes
    :param seconds: emulated seconds: how long it stays stuck (None: for ever), how much later a late success comes, or
        how far into the run the staging group is deleted
    :param moment: of `gateway_timeout`: whether the run has started (`after`) or not (`before`)
    :param log_form: `new` or `old`; empty takes that of the settings
    """

    image_template: str = "*"
    kind: str = "customizer"
    name: str = ""
    at: str = ""
    index: int = 0
    indexes: Sequence[int] = ()
    exit_code: int = 1
    count: int = 1
    message: str | None = None
    code: str | None = None
    output: Sequence[str] = ()
    seconds: float | None = None
    moment: str = "after"
    log_form: str = ""
    failure_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse what would never strike as meant."""
        _check_word("kind", self.kind, tuple(KINDS))
        _check_word("moment", self.moment, MOMENTS)
        if self.seconds is not None and self.seconds < 0:
            raise PlannedFailureError(f"seconds={self.seconds!r}: time does not go back.")
        if any(isinstance(index, bool) or not isinstance(index, int) for index in self.indexes):
            raise PlannedFailureError(f"indexes={self.indexes!r}: write numbers.")

    @property
    def stage(self) -> str:
        """At which point of an image template's life it strikes."""
        return KINDS[self.kind] or self.at

    def fits(self, image_template_name: str, stage: str) -> bool:
        """Whether it is about this image template at this point, and has strikes left."""
        is_named = self.image_template.lower() in {"*", image_template_name.lower()}
        return self.count > 0 and self.stage == stage and is_named


class Failures:
    """Keep the planned failures and hand out their strikes."""

    def __init__(self) -> None:
        self._failures: list[PlannedFailure] = []

    def plan(self, failure: PlannedFailure) -> PlannedFailure:
        """Add a failure, and forget those that have no strikes left."""
        self._failures = [*self.pending(), failure]
        return failure

    def restore(self, failures: Iterable[PlannedFailure]) -> None:
        """Take over failures that were planned before."""
        self._failures = list(failures)

    def take(self, image_template_name: str, stage: str) -> PlannedFailure | None:
        """Return the failure that strikes this image template at this point, and count the strike."""
        for failure in self._failures:
            if failure.fits(image_template_name, stage):
                failure.count -= 1
                failure.struck += 1
                return failure
        return None

    def pending(self) -> list[PlannedFailure]:
        """Return the failures that have strikes left."""
        return [failure for failure in self._failures if failure.count > 0]

    def remove(self, failure_id: str) -> bool:
        """Forget one failure, and say whether there was such a one with strikes left."""
        kept = [failure for failure in self.pending() if failure.failure_id != failure_id]
        is_known = len(kept) < len(self.pending())
        self._failures = kept
        return is_known

    def clear(self) -> None:
        """Forget all."""
        self._failures.clear()


def _check_word(name: str, value: Any, words: tuple[str, ...]) -> None:
    if value not in words:
        raise PlannedFailureError(f"{name}={value!r}: use one of {', '.join(words)}.")
