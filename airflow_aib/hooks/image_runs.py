"""Runs of image templates: start, find again, cancel, wait for the end, read what they left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import is_lost_answer
from airflow_aib.hooks.image_templates import required
from airflow_aib.hooks.run_requests import RunRequests
from airflow_aib.hooks.stuck import overdue_run
from airflow_aib.hooks.waiting import ANSWER_PATIENCE, LOOK_TIME, READ_TIME, Patience, Wait, asked, until_answered
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from airflow_aib.exceptions import ImageRunTimeoutError
    from airflow_aib.image_run.run_handle import ImageRunHandle
# Few and short ones: a worker that is killed has four seconds.
UNSEEN_RUN_LOOKS = 2
UNSEEN_RUN_PAUSE = 1.0
CANCEL_TIMEOUT = timedelta(minutes=20)


class ImageRuns(RunRequests):
    """Ask for, find, cancel and await runs."""

    async def cancel_run(self, image_template_id: str, *, handle: ImageRunHandle | None = None) -> bool:
        """Ask Azure to cancel the run that goes on; False when there is none, or none that the handle means.

        Azure answers at once and cancels over minutes: `wait_until_over` sees the real end. A run that was asked for a
        moment ago may not show yet, and is looked for some seconds more.
        """
        status = await self._going_on(image_template_id, handle)
        looks_left = UNSEEN_RUN_LOOKS if handle is not None and handle.start_time is None else 0
        while status is None and looks_left:
            await self.clock.sleep(UNSEEN_RUN_PAUSE)
            status = await self._going_on(image_template_id, handle)
            looks_left -= 1
        if status is None:
            return False
        if status.run_state == RunState.CANCELING:
            return True
        try:
            await self._post("cancel", image_template_id)
        except ArmRequestError as error:
            left = await self._going_on(image_template_id, handle)
            if left is None or left.run_state == RunState.CANCELING:
                return True
            if not is_lost_answer(error):
                raise
            # Still running after a lost answer: asking again can only cancel the very run that was meant.
            await self._post("cancel", image_template_id)
        return True

    async def cancel_through_outages(
        self, image_template_id: str, *, handle: ImageRunHandle | None = None, patience: Patience = ANSWER_PATIENCE
    ) -> bool:
        """Do the same until Azure has heard it: a fault that may pass does not leave the run going on."""
        return await until_answered(lambda: self.cancel_run(image_template_id, handle=handle), self.clock, patience)

    async def wait_until_over(
        self,
        image_template_id: str,
        *,
        handle: ImageRunHandle | None = None,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        within: timedelta = CANCEL_TIMEOUT,
        waited: timedelta = timedelta(),
    ) -> LastRunStatus | None:
        """Wait until no run goes on, or not the handle's; give the last status, None when there never was a run.

        :param waited: how long was waited for it before, for the error's words
        """

        def is_done(status: LastRunStatus | None) -> bool:
            return status is None or status.is_over or (handle is not None and not handle.matches(status))

        def late(status: LastRunStatus | None) -> ImageRunTimeoutError:
            return overdue_run(image_template_id, waited + within, status)

        async def look() -> LastRunStatus | None:
            return read_last_run_status(required(image_template_id, await looks.look()))

        looks = self.looks_at(image_template_id)
        patience = Patience(poll_interval, within)
        return await Wait(look, is_done, late, patience, self.clock, rest=looks.rest).until_done()

    async def wait_until_idle(
        self,
        image_template_id: str,
        *,
        handle: ImageRunHandle | None = None,
        handover: timedelta = timedelta(),
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        within: timedelta,
    ) -> None:
        """Wait until no run goes on, and the last one has been over for long enough.

        :param handle: the run that goes on; when another one follows it at once, that is the end of the wait too
        :param handover: how long the last run must be over, so that others have seen its end and read its outputs
        """

        async def look() -> tuple[LastRunStatus | None, bool]:
            """Give the last run's status, and whether this is it."""
            status = read_last_run_status(required(image_template_id, await looks.look()))
            if status is not None and status.is_over:
                # For how long it has been over, only an answer of our own tells, by the service's time in it.
                own = await self.look_before_run(image_template_id, retries=False)
                status, is_idle = own.status, own.is_idle(handover)
            else:
                is_idle = status is None
            return status, is_idle or (handle is not None and not handle.matches(status))

        looks = self.looks_at(image_template_id)
        await Wait(
            look,
            lambda seen: seen[1],
            lambda seen: overdue_run(image_template_id, within, seen[0] if seen else None),
            Patience(poll_interval, within),
            self.clock,
            rest=looks.rest,
        ).until_done()

    async def list_run_outputs(self, image_template_id: str, *, retries: bool = True) -> list[dict[str, Any]]:
        """Give what the last run left, one output per distributor that got that far.

        :param retries: whether the SDK repeats a failed call a few times
        """
        operations, group, name = self._address(image_template_id)
        seconds, options = (READ_TIME, {}) if retries else (LOOK_TIME, self.NO_RETRIES)
        async with asked("list the run outputs of image template", image_template_id, seconds):
            outputs = operations.list_run_outputs(group, name, **options)
            return [output.as_dict() async for output in outputs]

    async def _going_on(self, image_template_id: str, handle: ImageRunHandle | None) -> LastRunStatus | None:
        status = read_last_run_status(await self.require_image_template(image_template_id))
        if status is None or status.is_over or (handle is not None and not handle.matches(status)):
            return None
        return status
