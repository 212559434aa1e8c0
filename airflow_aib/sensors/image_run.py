"""The sensor that waits for a run that somebody else started."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, AirflowTaskTimeout

from airflow_aib.arguments import require_choices, require_image_template, require_interval
from airflow_aib.exceptions import ArmRequestError, ImageBuilderError, ImageRunFailedError, ImageRunWatchError
from airflow_aib.image_run.choices import FINAL_STATES
from airflow_aib.links.image_template import IMAGE_TEMPLATE_LINKS, PortalResources
from airflow_aib.sensors.retry import RunSensorRetryPolicy
from airflow_aib.triggers.access import ImageTemplateAccess
from airflow_aib.triggers.options import default_deferrable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from airflow.sdk import BaseOperatorLink, Context, XComArg

    from airflow_aib.image_run.choices import FinalState
    from airflow_aib.image_run.run_status import LastRunStatus
    from airflow_aib.sensors.failed_looks import FailedLooks
    from airflow_aib.triggers.state_event import StateEvent
    from airflow_aib.triggers.wanted_run import WantedRun


class AzureImageTemplateRunSensor(ImageTemplateAccess, BaseSensorOperator):
    """Wait until a run of an image template is over that somebody else started: the portal, a colleague, another DAG.

    Succeeds when the run has succeeded, and returns its status. Looks that fail for Azure's or the network's reasons
    are borne for ten minutes. Airflow never tries again after `timeout`; a shorter `execution_timeout` bounds the wait
    too, deferred or not, and leaves the task its retries. With `image_run`, a run that ended otherwise spends none: it
    stays as it ended. The run itself is left alone.

    Errors: `ImageRunFailedError` or `ImageRunCanceledError` for a run that ended otherwise, with why, as the run
    operator has it; `ImageRunWatchError` when looks fail for longer, which a retry mends; `ImageTemplateError` for an
    `image_run` that is none; `ArmRequestError` for whatever else Azure refuses; `AirflowSensorTimeout` after `timeout`.

    `soft_fail` skips the task at either timeout, `never_fail` at any of these errors, deferred or not. `mode`,
    `exponential_backoff`, `max_wait` and `silent_fail` have no meaning while it is deferred.

    :param image_template_id: resource id of the image template; or instead of it
    :param resource_group_name: its resource group, in the connection's subscription, and
    :param image_template_name: its name
    :param image_run: which run, as the XCom `image_run` of the task that started it has it
    :param started_after: without `image_run`: only a run that started later than this counts, ISO 8601; by default the
        last run counts, over or not
    :param accepted_states: run states that count as success, one or several: `Succeeded`, `PartiallySucceeded`,
        `Failed`, `Canceled`
    :param deferrable: whether to wait on the triggerer; by default as Airflow is configured
    :param azure_conn_id: id of the Airflow connection; by default `azure_image_builder_default`
    """

    template_fields: Sequence[str] = (
        "azure_conn_id",
        "image_template_id",
        "resource_group_name",
        "image_template_name",
        "image_run",
        "started_after",
    )
    template_fields_renderers = {"image_run": "json"}  # noqa: RUF012 - Airflow's own spelling
    ui_color = "#e6e0f2"
    operator_extra_links: Collection[BaseOperatorLink] = IMAGE_TEMPLATE_LINKS

    def __init__(
        self,
        *,
        image_template_id: str | XComArg | None = None,
        resource_group_name: str | None = None,
        image_template_name: str | None = None,
        image_run: Mapping[str, Any] | XComArg | None = None,
        started_after: str | None = None,
        accepted_states: FinalState | Sequence[FinalState] = ("Succeeded",),
        deferrable: bool | None = None,
        azure_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Not an argument's default: a policy in the DAG's `default_args` must win.
        self.retry_policy = self.retry_policy or RunSensorRetryPolicy(is_certain_run=image_run is not None)
        # Airflow itself lets it be 0, and so would ask Azure without a pause.
        require_interval("poke_interval", self.poke_interval)
        require_image_template(self.task_id, image_template_id, resource_group_name, image_template_name)
        self.image_template_id = image_template_id
        self.resource_group_name = resource_group_name
        self.image_template_name = image_template_name
        # Airflow puts the value in the place of an XComArg before `execute`.
        self.image_run: Any = image_run
        self.started_after = started_after
        self.accepted_states = require_choices("accepted_states", accepted_states, FINAL_STATES)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.azure_conn_id = azure_conn_id
        self.portal_resources = PortalResources()
        self._failed_looks: FailedLooks | None = None

    def execute(self, context: Context) -> Any:
        """Wait, on the triggerer or in the way of all sensors."""
        with self._forgiving():
            if not self.deferrable:
                return super().execute(context)
            found = self.poke(context)
        if found.is_done:
            return found.xcom_value
        return self._defer()

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Look how it turned out."""
        from airflow_aib.triggers.state_event import StateEvent

        self.portal_resources.is_resumed = True
        with self._forgiving():
            state = StateEvent.from_payload(event)
            self.log.info("%s", state.message)
            # After the triggerer has seen the end, no other look follows this one.
            found = self._look_here(context, until_answered=state.status == "reached")
            if not found.is_done:
                raise self._not_over(state)
        return found.xcom_value

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        return self._look_here(context)

    def _look_here(self, context: Context, *, until_answered: bool = False) -> PokeReturnValue:
        from airflow_aib.triggers.pushed_diagnosis import pushed_diagnosis

        with pushed_diagnosis(context):
            return self._poke(context, until_answered=until_answered)

    def _poke(self, context: Context, *, until_answered: bool) -> PokeReturnValue:
        from airflow_aib.hooks.run_async import run_async

        image_template_id = self.find_image_template_id()
        self.portal_resources.note_image_template(self.hook.settings, image_template_id)
        failed_looks = self._open_failed_looks(context)
        try:
            status = run_async(self._look(image_template_id, until_answered=until_answered))
        except ArmRequestError as error:
            failed_looks.bear(error)
            self.log.warning("Azure could not be asked; it is asked again at the next look: %s", error)
            return PokeReturnValue(is_done=False)
        failed_looks.forget()
        if status is None or not self._wanted_run().is_decided(status):
            self.log.info("The run is not over; the image template shows %s.", status.phase if status else "no run")
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=status.to_json())

    def _defer(self) -> NoReturn:
        from airflow_aib.hooks.clock import SYSTEM_CLOCK
        from airflow_aib.triggers.image_template import AzureImageTemplateStateTrigger

        now, within = SYSTEM_CLOCK.now(), timedelta(seconds=self.timeout)
        # Airflow itself limits only the time of each leg on a worker by it.
        within = min(within, self.execution_timeout or within)
        self.defer(
            trigger=AzureImageTemplateStateTrigger(
                image_template_id=self.find_image_template_id(),
                wait_for="over",
                deadline=(now + within).isoformat(),
                not_before=self.earliest_event(),
                run=self._wanted_run().to_json(),
                poll_interval=self.poke_interval,
                azure_conn_id=self.connection_id,
            ),
            method_name="execute_complete",
            timeout=within + self.waiting.defer_margin,
        )

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Skip where the user wants it: Airflow does so only while it pokes itself, and for errors of its own."""
        try:
            yield
        except (AirflowSensorTimeout, AirflowTaskTimeout) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        except ImageBuilderError as error:
            if self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def _open_failed_looks(self, context: Context) -> FailedLooks:
        from airflow_aib.sensors.failed_looks import FailedLooks

        if self._failed_looks is None:
            is_rescheduled = self.reschedule and not self.deferrable
            store = context["task_state_store"] if is_rescheduled else None
            self._failed_looks = FailedLooks(context["ti"].try_number, store)
        return self._failed_looks

    def _not_over(self, state: StateEvent) -> AirflowSensorTimeout | AirflowTaskTimeout | ImageRunWatchError:
        message = f"The wait has ended without the run's end: {state.message}"
        if state.reason != "overdue":
            return ImageRunWatchError(
                message, hint="The run goes on; the next try waits for it.", image_template_id=state.image_template_id
            )
        # As on a worker: only the sensor's own timeout is never tried again.
        is_shorter = self.execution_timeout is not None and self.execution_timeout.total_seconds() < self.timeout
        return AirflowTaskTimeout(message) if is_shorter else AirflowSensorTimeout(message)

    async def _look(self, image_template_id: str, *, until_answered: bool) -> LastRunStatus | None:
        """Give the last run's status; raise when the wanted run has ended otherwise than it should."""
        from airflow_aib.hooks.run_report import read_report, run_error
        from airflow_aib.image_run.run_status import read_last_run_status
        from airflow_aib.sensors.failed_looks import look_until_answered

        async with self.open_service() as service:
            body = (
                await look_until_answered(service, image_template_id)
                if until_answered
                else await service.require_image_template(image_template_id)
            )
            self.portal_resources.note_image_template(self.hook.settings, image_template_id, body)
            status, wanted = read_last_run_status(body), self._wanted_run()
            if status is not None and wanted.is_past(status):
                raise _is_past(image_template_id, status)
            is_decided = status is not None and wanted.is_decided(status)
            if status is not None and is_decided and status.run_state not in self.accepted_states:
                raise run_error(await read_report(service, image_template_id, status, self.log))
            return status

    def _wanted_run(self) -> WantedRun:
        from airflow_aib.triggers.wanted_run import WantedRun, read_image_run

        handle = read_image_run(self.image_run, self.find_image_template_id())
        return WantedRun(handle, self.started_after)


def _is_past(image_template_id: str, status: LastRunStatus) -> ImageRunFailedError:
    return ImageRunFailedError(
        f"Image template {image_template_id} shows a later run than the one that is waited for",
        hint="How that one ended cannot be told any more; look into the portal's activity log.",
        image_template_id=image_template_id,
        last_run_status=status,
    )
