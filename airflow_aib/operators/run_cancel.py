"""The operator that cancels runs of image templates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.operators.base import LAST_LOOKS, WaitingOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context, XComArg

    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.image_run.run_handle import ImageRunHandle
    from airflow_aib.image_run.run_status import LastRunStatus


class AzureImageTemplateCancelOperator(WaitingOperator):
    """Cancel the run that goes on, and wait until it has really ended, which takes a minute or more.

    No run is fine too. Returns the last run's status as Azure shows it, read into `run_state`, `run_sub_state`,
    `start_time`, `end_time` and `message`, or None when there never was a run.

    Errors: `ImageRunTimeoutError` when the run is not over within option `cancel_allowance`, as `ImageRunStuckError`
    where it stays `Canceling`; `ArmRequestError` for what Azure refuses.

    :param image_run: which run, as the XCom `image_run` of the task that started it has it; any other is left alone
    """

    template_fields: Sequence[str] = (*WaitingOperator.template_fields, "image_run")

    def __init__(self, *, image_run: Mapping[str, Any] | XComArg | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Airflow puts the value in the place of an XComArg before `execute`.
        self.image_run: Any = image_run

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Cancel the run."""
        from airflow_aib.hooks.run_async import run_async

        del context
        image_template_id = self.find_image_template_id()
        self.note_image_template(image_template_id)
        was_asked, status = run_async(self._cancel(image_template_id))
        if was_asked and self.deferrable and status is not None and not status.is_over:
            self.defer_until("canceled", image_template_id, self.cancel_allowance, self._handle())
        return status.to_json() if status else None

    def execute_complete(
        self, context: Context, event: Any = None, deferred_at: str | None = None
    ) -> dict[str, Any] | None:
        """Look how it turned out."""
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.triggers.state_event import StateEvent

        del context
        self.note_resumed()
        state = StateEvent.from_payload(event)
        self.log.info("%s", state.message)
        self.note_image_template(state.image_template_id)
        status = run_async(self._look_again(state.image_template_id, self.waited_since(deferred_at)))
        return status.to_json() if status else None

    def _handle(self) -> ImageRunHandle | None:
        from airflow_aib.triggers.wanted_run import read_image_run

        return read_image_run(self.image_run, self.find_image_template_id())

    async def _cancel(self, image_template_id: str) -> tuple[bool, LastRunStatus | None]:
        """Ask for the cancel; give whether there was a run to cancel, and the last run's status."""
        from airflow_aib.hooks.waiting import until_answered
        from airflow_aib.image_run.run_status import read_last_run_status

        async with self.open_service() as service:
            was_asked = await service.cancel_through_outages(image_template_id, handle=self._handle())
            self.log.info("Azure was asked to cancel the run." if was_asked else "There is no such run to cancel.")
            if was_asked and self.wait_for_completion and not self.deferrable:
                return was_asked, await self._wait_until_over(service, image_template_id, self.cancel_allowance)
            body = await until_answered(
                lambda: service.require_image_template(image_template_id, retries=False), service.clock
            )
            self.note_image_template(image_template_id, body)
            return was_asked, read_last_run_status(body)

    async def _look_again(self, image_template_id: str, waited: timedelta) -> LastRunStatus | None:
        async with self.open_service() as service:
            await self.bear_outage(service, image_template_id)
            return await self._wait_until_over(service, image_template_id, LAST_LOOKS, waited)

    async def _wait_until_over(
        self,
        service: ImageTemplateService,
        image_template_id: str,
        within: timedelta,
        waited: timedelta = timedelta(),
    ) -> LastRunStatus | None:
        status = await service.wait_until_over(
            image_template_id,
            handle=self._handle(),
            poll_interval=self.seconds_between_looks,
            within=within,
            waited=waited,
        )
        if status is not None and status.is_over:
            self.log.info("The run that started %s ended %s.", status.start_time, status.run_state)
        return status
