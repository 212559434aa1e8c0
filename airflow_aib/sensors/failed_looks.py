"""Bear looks that fail, over several pokes, as the triggerer's waits do over several looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError, ImageRunWatchError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.errors import is_transient
from airflow_aib.hooks.waiting import ERROR_BUDGET, until_answered

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow_aib.hooks.image_builder import ImageTemplateService

KEY = "looks_fail_since"


@dataclass
class FailedLooks:
    """Remember since when looks have failed without a good one among them.

    :param try_number: of the task; what an earlier try has remembered does not count
    :param store: Airflow's `task_state_store`, for a sensor that is rescheduled: each of its pokes is a new process
    :param budget: how long looks may fail in a row
    :param clock: tells the time
    """

    try_number: int
    store: Any = None
    budget: timedelta = ERROR_BUDGET
    clock: Clock = SYSTEM_CLOCK
    _since: datetime | None = None

    def bear(self, error: ArmRequestError) -> None:
        """Bear a failed look, or raise when it cannot pass, or has not passed for too long."""
        if not is_transient(error):
            raise error
        now = self.clock.now()
        since = self._recall() or now
        if now - since >= self.budget:
            raise _unwatchable(since, error) from error
        self._keep(since)

    def forget(self) -> None:
        """Note that a look was good."""
        self._since = None
        if self.store is not None:
            self.store.delete(KEY)

    def _recall(self) -> datetime | None:
        if self.store is None:
            return self._since
        kept = self.store.get(KEY)
        if not isinstance(kept, dict) or kept.get("try_number") != self.try_number:
            return None
        return datetime.fromisoformat(kept["since"])

    def _keep(self, since: datetime) -> None:
        self._since = since
        if self.store is not None:
            self.store.set(KEY, {"since": since.isoformat(), "try_number": self.try_number})


async def look_until_answered(service: ImageTemplateService, image_template_id: str) -> dict[str, Any]:
    """Look in this one process until Azure answers, and give the image template's body."""
    since = service.clock.now()
    try:
        return await until_answered(
            lambda: service.require_image_template(image_template_id, retries=False), service.clock
        )
    except ArmRequestError as error:
        if not is_transient(error):
            raise
        raise _unwatchable(since, error) from error


def _unwatchable(since: datetime, error: ArmRequestError) -> ImageRunWatchError:
    return ImageRunWatchError(
        f"Looks have failed since {since.isoformat(timespec='seconds')}, the last one so: {error.message}",
        hint="The run goes on. " + (error.hint or "Look again later."),
        image_template_id=error.target,
    )
