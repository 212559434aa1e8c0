"""Runs of image templates: start, find again, cancel, wait for the end, read what they left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.errors import TOO_MANY_REQUESTS, is_lost_answer, is_transient, translated
from airflow_aib.hooks.image_templates import DEFAULT_POLL_INTERVAL, LOOK_TIME, READ_TIME, ImageTemplates, required
from airflow_aib.hooks.stuck import overdue_run
from airflow_aib.hooks.waiting import Patience, Wait, bounded
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_aib.exceptions import ImageRunTimeoutError

# How long to look for a run whose start was answered badly, and for one that Azure has accepted.
LOST_RUN_PATIENCE = Patience(poll_interval=10, within=timedelta(minutes=2), error_budget=timedelta(minutes=2))
FIRST_SIGHT_PATIENCE = Patience(poll_interval=4, within=timedelta(seconds=20), error_budget=timedelta(seconds=20))
# Few and short ones: a worker that is killed has four seconds.
UNSEEN_RUN_LOOKS = 2
UNSEEN_RUN_PAUSE = 1.0
CANCEL_TIMEOUT = timedelta(minutes=20)
REFUSED_ATTEMPTS = 5


class ImageRuns(ImageTemplates):
    """Start, find, cancel and await runs; AIB gives a run no id, so that its start time identifies it."""

    async def prepare_run(self, image_template_id: str) -> ImageRunHandle:
        """Note down, before a run is asked for, which run was the last one.

        Keep the handle before `start_run`: whoever holds it finds the run again, even if it is never answered.
        """
        status = read_last_run_status(await self.require_image_template(image_template_id))
        return self._new_handle(image_template_id, status)

    async def start_run(self, image_template_id: str, *, handle: ImageRunHandle | None = None) -> ImageRunHandle:
        """Start a run, or join the one that the handle means; never start it twice.

        :param handle: from `prepare_run`, or from an earlier try of the same task: when its run has appeared, running
            or over, it is joined and nothing is started
        """
        status = read_last_run_status(await self.require_image_template(image_template_id))
        if status is not None and handle is not None and handle.matches(status):
            return handle.joined_to(status)
        if status is not None and not status.is_over:
            raise busy(image_template_id, status)
        # A new one, also where an earlier try has noted one down: by its submit time this run might be overdue already.
        return await self._post_run(self._new_handle(image_template_id, status))

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

    async def wait_until_over(
        self,
        image_template_id: str,
        *,
        handle: ImageRunHandle | None = None,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        within: timedelta = CANCEL_TIMEOUT,
    ) -> LastRunStatus | None:
        """Wait until no run goes on, or not the handle's; give the last status, None when there never was a run."""

        def is_done(status: LastRunStatus | None) -> bool:
            return status is None or status.is_over or (handle is not None and not handle.matches(status))

        def late(status: LastRunStatus | None) -> ImageRunTimeoutError:
            return overdue_run(image_template_id, within, status)

        async def look() -> LastRunStatus | None:
            return read_last_run_status(required(image_template_id, await looks.look()))

        looks = self.looks_at(image_template_id)
        patience = Patience(poll_interval, within)
        return await Wait(look, is_done, late, patience, self.clock, rest=looks.rest).until_done()

    async def list_run_outputs(self, image_template_id: str) -> list[dict[str, Any]]:
        """Give what the last run left, one output per distributor that got that far."""
        operations, group, name = self._address(image_template_id)
        doing = "list the run outputs of image template"
        async with bounded(READ_TIME, doing, image_template_id):
            with translated(doing, image_template_id):
                return [output.as_dict() async for output in operations.list_run_outputs(group, name)]

    def _new_handle(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle:
        return ImageRunHandle(
            image_template_id=image_template_id,
            submit_time=self.clock.now().isoformat(),
            previous_start_time=status.start_time if status else None,
        )

    async def _post_run(self, handle: ImageRunHandle) -> ImageRunHandle:
        try:
            await self._post("run", handle.image_template_id)
        except ArmRequestError as error:
            if is_lost_answer(error):
                return await self._find_lost_run(handle, error)
            await self._explain_refusal(handle)
            raise
        return await self._see_accepted_run(handle)

    async def _post(self, action: str, image_template_id: str) -> None:
        """Send a run or a cancel once; repeat only what Azure's gate refused for its request limit."""
        operations, group, name = self._address(image_template_id)
        calls: dict[str, Callable[..., Awaitable[object]]] = {
            "run": operations.begin_run,
            "cancel": operations.begin_cancel,
        }
        for attempt in range(1, REFUSED_ATTEMPTS + 1):
            try:
                async with bounded(LOOK_TIME, f"{action} image template", image_template_id):
                    with translated(f"{action} image template", image_template_id):
                        await calls[action](group, name, polling=False, **self.NO_RETRIES)
            except ArmRequestError as error:
                if error.status != TOO_MANY_REQUESTS or attempt == REFUSED_ATTEMPTS:
                    raise
                await self._pause_after(error)
            else:
                return

    async def _find_lost_run(self, handle: ImageRunHandle, error: ArmRequestError) -> ImageRunHandle:
        """Look whether a run began although its start was answered badly, or not at all."""

        def not_found(_: LastRunStatus | None) -> ArmRequestError:
            return ArmRequestError(
                f"{error.message}; no run has appeared within {LOST_RUN_PATIENCE.within} since",
                hint="Start it again with the same handle: should it appear late, that joins it.",
                code=error.code,
                target=error.target,
                request_id=error.request_id,
                status=error.status,
                **error.data,
            )

        status = await Wait(
            lambda: self._look(handle), handle.matches, not_found, LOST_RUN_PATIENCE, self.clock
        ).until_done()
        return handle.joined_to(status) if status else handle

    async def _see_accepted_run(self, handle: ImageRunHandle) -> ImageRunHandle:
        """Add the start time of a run that Azure has accepted; without it the handle still finds the run."""

        def not_yet(_: LastRunStatus | None) -> ArmRequestError:
            return ArmRequestError(
                "The accepted run has not appeared yet", hint="Look again later.", target=handle.image_template_id
            )

        try:
            status = await Wait(
                lambda: self._look(handle), handle.matches, not_yet, FIRST_SIGHT_PATIENCE, self.clock
            ).until_done()
        except ArmRequestError:
            # It was accepted: whoever watches it will see it, or say why not.
            return handle
        return handle.joined_to(status) if status else handle

    async def _explain_refusal(self, handle: ImageRunHandle) -> None:
        """Name the run for which Azure refused ours, if that was the reason."""
        try:
            status = await self._look(handle)
        except ArmRequestError as error:
            if is_transient(error):
                # The refusal itself says enough.
                return
            raise
        if status is not None and not status.is_over:
            raise busy(handle.image_template_id, status)

    async def _going_on(self, image_template_id: str, handle: ImageRunHandle | None) -> LastRunStatus | None:
        status = read_last_run_status(await self.require_image_template(image_template_id))
        if status is None or status.is_over or (handle is not None and not handle.matches(status)):
            return None
        return status

    async def _look(self, handle: ImageRunHandle) -> LastRunStatus | None:
        return read_last_run_status(await self.require_image_template(handle.image_template_id, retries=False))


def busy(image_template_id: str, status: LastRunStatus) -> ImageTemplateInUseError:
    """Make the error for an image template of which another run goes on."""
    return ImageTemplateInUseError(
        f"Image template {image_template_id} has a run that goes on since {status.start_time} ({status.phase}); "
        "Azure allows one at a time",
        hint="Wait for it with AzureImageTemplateRunSensor, or end it with AzureImageTemplateCancelOperator, "
        "then start yours.",
        image_template_id=image_template_id,
        start_time=status.start_time,
        run_state=status.run_state,
    )
