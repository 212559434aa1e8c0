"""The sensor that waits for a run that somebody else started."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_aib.exceptions import ImageRunFailedError
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.image_builder import DEFAULT_CONNECTION_ID, AzureImageBuilderHook, ImageTemplateService
from airflow_aib.hooks.run_async import run_async
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import LastRunStatus, RunState, read_last_run_status
from airflow_aib.triggers.image_template import AzureImageTemplateStateTrigger
from airflow_aib.triggers.options import default_deferrable, read_waiting_options
from airflow_aib.triggers.state_event import StateEvent
from airflow_aib.triggers.wanted_run import WantedRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context


class AzureImageTemplateRunSensor(BaseSensorOperator):
    """
    Wait until a run of an image template is over that somebody else started: the portal, a colleague, another DAG.

    Succeeds when the run has succeeded, and returns its status; fails when it ended otherwise.

    :param image_template_id: resource id of the image template; or instead of it
    :param resource_group_name: its resource group, in the connection's subscription, and
    :param image_template_name: its name
    :param image_run: which run, as the XCom `image_run` of the task that started it has it
    :param started_after: without `image_run`: only a run that started later than this counts, ISO 8601; by default the
        last run counts, over or not
    :param accepted_states: run states that count as success
    :param deferrable: whether to wait on the triggerer
    :param azure_conn_id: id of the Airflow connection
    """

    template_fields: Sequence[str] = (
        "azure_conn_id",
        "image_template_id",
        "resource_group_name",
        "image_template_name",
        "image_run",
        "started_after",
    )
    ui_color = "#e6e0f2"

    def __init__(
        self,
        *,
        image_template_id: str | None = None,
        resource_group_name: str | None = None,
        image_template_name: str | None = None,
        image_run: Mapping[str, Any] | None = None,
        started_after: str | None = None,
        accepted_states: Sequence[str] = (RunState.SUCCEEDED,),
        deferrable: bool | None = None,
        azure_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_template_id = image_template_id
        self.resource_group_name = resource_group_name
        self.image_template_name = image_template_name
        self.image_run = image_run
        self.started_after = started_after
        self.accepted_states = tuple(accepted_states)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.azure_conn_id = azure_conn_id

    @cached_property
    def hook(self) -> AzureImageBuilderHook:
        """The way to Azure."""
        return AzureImageBuilderHook(self.azure_conn_id)

    def execute(self, context: Context) -> Any:
        """Wait, on the triggerer or in the way of all sensors."""
        if not self.deferrable:
            return super().execute(context)
        found = self.poke(context)
        if found.is_done:
            return found.xcom_value
        waiting = read_waiting_options()
        now, within = datetime.now(UTC), timedelta(seconds=self.timeout)
        return self.defer(
            trigger=AzureImageTemplateStateTrigger(
                image_template_id=self._find_image_template_id(),
                wait_for="over",
                deadline=(now + within).isoformat(),
                not_before=(now + timedelta(seconds=waiting.trigger_min_age)).isoformat(),
                run=self._wanted_run().to_json(),
                poll_interval=self.poke_interval,
                azure_conn_id=self.azure_conn_id,
            ),
            method_name="execute_complete",
            timeout=within + waiting.defer_margin,
        )

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Look how it turned out."""
        state = StateEvent.from_payload(event)
        self.log.info("%s", state.message)
        found = self.poke(context)
        if found.is_done:
            return found.xcom_value
        message = f"The wait has ended without the run's end: {state.message}"
        if self.soft_fail:
            raise AirflowSkipException(message)
        raise AirflowSensorTimeout(message)

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        del context
        image_template_id = self._find_image_template_id()
        status = run_async(self._look(image_template_id))
        wanted = self._wanted_run()
        if wanted.is_past(status):
            raise ImageRunFailedError(
                f"Image template {image_template_id} shows a later run than the one that is waited for",
                hint="How that one ended cannot be told any more; look into the portal's activity log.",
                image_template_id=image_template_id,
                last_run_status=status,
            )
        if status is None or not wanted.is_decided(status):
            self.log.info("The run is not over; the image template shows %s.", status.phase if status else "no run")
            return PokeReturnValue(is_done=False)
        return self._judge(image_template_id, status)

    def _judge(self, image_template_id: str, status: LastRunStatus) -> PokeReturnValue:
        if status.run_state in self.accepted_states:
            return PokeReturnValue(is_done=True, xcom_value=status.to_json())
        words = f": {status.message}" if status.message else ""
        raise ImageRunFailedError(
            f"The run of image template {image_template_id} that started {status.start_time} "
            f"ended {status.run_state}{words}",
            image_template_id=image_template_id,
            last_run_status=status,
        )

    def _wanted_run(self) -> WantedRun:
        handle = ImageRunHandle.from_json(self.image_run) if self.image_run else None
        return WantedRun(handle, self.started_after)

    def _find_image_template_id(self) -> str:
        return self.hook.find_image_template_id(
            self.image_template_id, self.resource_group_name, self.image_template_name
        )

    async def _look(self, image_template_id: str) -> LastRunStatus | None:
        async with shared_clients(self.hook.settings) as clients:
            service = ImageTemplateService(clients)
            return read_last_run_status(await service.require_image_template(image_template_id))
