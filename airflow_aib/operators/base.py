"""What all operators on an image template share: which one, how Azure is reached, links, and how they wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_aib.arguments import require_image_template, require_interval
from airflow_aib.exceptions import ArmRequestError, ImageRunWatchError, ImageTemplateError
from airflow_aib.links.image_template import IMAGE_TEMPLATE_LINKS, PortalResources
from airflow_aib.operators.retry import USUAL_RETRY_POLICY
from airflow_aib.triggers.access import ImageTemplateAccess
from airflow_aib.triggers.options import default_deferrable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from airflow.sdk import BaseOperatorLink, Context, XComArg

    from airflow_aib.hooks.accepted_losses import AcceptedLosses
    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.hooks.removal import Removal
    from airflow_aib.image_run.artifacts import ImageArtifact
    from airflow_aib.image_run.run_handle import ImageRunHandle
    from airflow_aib.triggers.image_template import WaitedState

# Under this key a task that starts a run leaves its handle, before it waits.
HANDLE_XCOM = "image_run"
# How long a task looks again after it was woken.
LAST_LOOKS = timedelta(minutes=1)


def read_started_run(context: Context, run_task_id: str | None) -> ImageRunHandle | None:
    """Give the run that a task of this DAG run started; None means the last run, and no image template.

    Of a mapped task, or one in a mapped task group, it is the one of the same map index.
    """
    from airflow_aib.image_run.run_handle import ImageRunHandle

    if run_task_id is None:
        return None
    # Airflow's own default is all map indexes, which gives a list.
    image_run = context["ti"].xcom_pull(
        task_ids=run_task_id, key=HANDLE_XCOM, map_indexes=_find_map_index(context, run_task_id)
    )
    if not image_run:
        raise AirflowSkipException(f"Task {run_task_id!r} has not started a run: there is nothing to collect.")
    handle = ImageRunHandle.from_json(image_run)
    if not handle.start_time:
        # Without it, "the last run" would be meant, and that may be somebody else's later one.
        raise ImageRunWatchError(
            f"Task {run_task_id!r} has asked for a run, and has not seen it start: which one it is cannot be told",
            hint=f"Clear {run_task_id!r}: it joins the run that it has asked for.",
            image_template_id=handle.image_template_id,
        )
    return handle


def read_accepted_missing(context: Context, run_task_id: str | None) -> tuple[str, ...]:
    """Give the run output names that a task of this DAG run has accepted as missing after a partial success."""
    report = read_returned(context, run_task_id)
    return tuple(report.get("missing") or ()) if isinstance(report, Mapping) else ()


def read_returned(context: Context, task_id: str | None) -> Any:
    """Give what a task of this DAG run has returned, of the same map index; None where no task is named."""
    if task_id is None:
        return None
    return context["ti"].xcom_pull(task_ids=task_id, map_indexes=_find_map_index(context, task_id))


def _find_map_index(context: Context, task_id: str) -> int | None:
    task = context["dag"].get_task(task_id)
    if not task.is_mapped and task.get_closest_mapped_task_group() is None:
        return None
    map_index = context["ti"].map_index
    if map_index is None or map_index < 0:
        raise ImageTemplateError(
            f"Task {task_id!r} is mapped, and so there are several of it, but task "
            f"{context['ti'].task_id!r}, which is to work on one of them, is not",
            hint="Map this task too, or put both into one mapped task group.",
        )
    return int(map_index)


class ImageTemplateOperator(ImageTemplateAccess, BaseOperator):
    """Do something with one image template.

    :param image_template_id: resource id of the image template; or instead of it
    :param resource_group_name: its resource group, in the connection's subscription, and
    :param image_template_name: its name
    :param azure_conn_id: id of the Airflow connection; by default `azure_image_builder_default`
    """

    template_fields: Sequence[str] = (
        "azure_conn_id",
        "image_template_id",
        "resource_group_name",
        "image_template_name",
    )
    ui_color = "#d8ecfa"
    # Whether there is another way to find the image template than to be told its name.
    is_known_otherwise = False
    operator_extra_links: Collection[BaseOperatorLink] = IMAGE_TEMPLATE_LINKS

    def __init__(
        self,
        *,
        image_template_id: str | XComArg | None = None,
        resource_group_name: str | None = None,
        image_template_name: str | None = None,
        azure_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Not an argument's default: a policy in the DAG's `default_args` must win.
        self.retry_policy = self.retry_policy or USUAL_RETRY_POLICY
        self.image_template_id = image_template_id
        self.resource_group_name = resource_group_name
        self.image_template_name = image_template_name
        self.azure_conn_id = azure_conn_id
        self.require_named(is_known_otherwise=self.is_known_otherwise)

    @cached_property
    def portal_resources(self) -> PortalResources:
        """What the links lead to."""
        return PortalResources()

    def require_named(self, *, is_known_otherwise: bool) -> None:
        """Refuse to be a task that could not find its image template, or could find two."""
        require_image_template(
            self.task_id,
            self.image_template_id,
            self.resource_group_name,
            self.image_template_name,
            is_known_otherwise=is_known_otherwise,
        )

    def find_image_template_of(self, run: ImageRunHandle | None) -> str:
        """Give the resource id: as the arguments name it, else that of the run."""
        if run is None or self.image_template_id or self.image_template_name:
            return self.find_image_template_id()
        return run.image_template_id

    def note_image_template(self, image_template_id: str, body: Mapping[str, Any] | None = None) -> None:
        """Note for the links what this task works on."""
        self.portal_resources.note_image_template(self.hook.settings, image_template_id, body)

    def note_resumed(self) -> None:
        """Note that this leg comes after a deferral, so that the first leg's links are kept."""
        self.portal_resources.is_resumed = True

    def note_artifacts(self, artifacts: Sequence[ImageArtifact]) -> None:
        """Note for the links which gallery image version was made."""
        self.portal_resources.note_artifacts(artifacts)


class WaitingOperator(ImageTemplateOperator):
    """Wait for what Azure was asked to do, on the triggerer or on the worker.

    :param wait_for_completion: whether to wait at all; without, `deferrable` has no meaning
    :param deferrable: whether to wait on the triggerer, where many waits cost little; by default as Airflow is
        configured
    :param poll_interval: seconds between two looks; by default option `poll_interval`
    """

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        deferrable: bool | None = None,
        poll_interval: float | None = None,
        **kwargs: Any,
    ) -> None:
        from airflow_aib.hooks.clock import SYSTEM_CLOCK

        super().__init__(**kwargs)
        if deferrable and not wait_for_completion:
            self.log.warning("Task %r does not wait for completion, so deferrable=True has no effect.", self.task_id)
        self.wait_for_completion = wait_for_completion
        self.deferrable = wait_for_completion and (default_deferrable() if deferrable is None else deferrable)
        self.poll_interval = require_interval("poll_interval", poll_interval)
        self._began = SYSTEM_CLOCK.now()

    def pre_execute(self, context: Any) -> None:
        """Note when this try begins; Airflow calls it before each leg."""
        from airflow_aib.hooks.clock import SYSTEM_CLOCK

        super().pre_execute(context)
        self._began = SYSTEM_CLOCK.now()

    @property
    def times_out_at(self) -> datetime | None:
        """When the `execution_timeout` is over; Airflow itself limits only the time of each leg on a worker by it."""
        return self._began + self.execution_timeout if self.execution_timeout else None

    @property
    def seconds_between_looks(self) -> float:
        """The poll interval that holds."""
        return self.poll_interval if self.poll_interval is not None else self.waiting.poll_interval

    @property
    def provision_timeout(self) -> timedelta:
        """How long creating or deleting an image template may take."""
        return timedelta(seconds=self.waiting.provision_timeout)

    @property
    def cancel_allowance(self) -> timedelta:
        """How long a cancelled run may take to end."""
        return timedelta(seconds=self.waiting.cancel_allowance)

    @asynccontextmanager
    async def within_preparation(self, image_template_id: str) -> AsyncIterator[None]:
        """Bound all that the worker waits for before there is one state left to wait for."""
        within = self.provision_timeout + self.cancel_allowance
        try:
            async with asyncio.timeout(within.total_seconds()) as bound:
                yield
        except TimeoutError as error:
            if not bound.expired():
                raise
            raise ArmRequestError(
                f"What had to come first at image template {image_template_id} took longer than {within}",
                hint="The log says what it was. Try again, which goes on from there, or raise `provision_timeout`.",
                code="Overdue",
                target=image_template_id,
            ) from error

    def removal(self, service: ImageTemplateService, image_template_id: str, accepted: AcceptedLosses) -> Removal:
        """Say how an image template is removed."""
        from airflow_aib.hooks.removal import Removal

        return Removal(
            service,
            image_template_id,
            accepted,
            self.seconds_between_looks,
            self.provision_timeout,
            self.cancel_allowance,
        )

    def defer_until(
        self,
        wait_for: WaitedState,
        image_template_id: str,
        within: timedelta,
        handle: ImageRunHandle | None = None,
        *,
        handover: float = 0.0,
        method_name: str = "execute_complete",
        kwargs: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Hand the wait for a state over to the triggerer; the method that is named goes on from there.

        :param wait_for: the state
        :param image_template_id: resource id of the image template
        :param within: how long to wait at most
        :param handle: the run that it is about; None means the last one
        :param handover: seconds that the end of a run is left to be read by others
        :param method_name: what goes on after the wait
        :param kwargs: what that method is handed; `execute_complete` is handed `deferred_at`, which is now, besides
        """
        from airflow_aib.hooks.clock import SYSTEM_CLOCK
        from airflow_aib.triggers.image_template import AzureImageTemplateStateTrigger
        from airflow_aib.triggers.wanted_run import WantedRun

        now = SYSTEM_CLOCK.now()
        within = min(within, max((self.times_out_at or now + within) - now, timedelta()))
        self.defer(
            trigger=AzureImageTemplateStateTrigger(
                image_template_id=image_template_id,
                wait_for=wait_for,
                deadline=(now + within).isoformat(),
                not_before=self.earliest_event(),
                run=WantedRun(handle).to_json(),
                handover=handover,
                poll_interval=self.seconds_between_looks,
                azure_conn_id=self.connection_id,
            ),
            method_name=method_name,
            kwargs=kwargs if method_name != "execute_complete" else {"deferred_at": now.isoformat(), **(kwargs or {})},
            # Airflow's own limit comes later than the trigger's, and takes effect when the triggerer is gone.
            timeout=within + self.waiting.defer_margin,
        )

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Go on after the wait."""
        raise NotImplementedError

    def waited_since(self, deferred_at: str | None) -> timedelta:
        """Give how long a deferred wait has taken, in whole seconds."""
        from airflow_aib.hooks.clock import SYSTEM_CLOCK

        now = SYSTEM_CLOCK.now()
        waited = now - (datetime.fromisoformat(deferred_at) if deferred_at else now)
        return timedelta(seconds=round(waited.total_seconds()))

    async def bear_outage(self, service: ImageTemplateService, image_template_id: str) -> None:
        """Look until Azure answers: of the looks after a deferral there are too few to bear an outage."""
        from airflow_aib.hooks.waiting import until_answered

        await until_answered(lambda: service.get_image_template(image_template_id, retries=False), service.clock)
