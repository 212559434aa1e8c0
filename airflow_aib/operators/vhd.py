"""The operator that copies VHDs out of the staging resource group."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.arguments import require_container, require_duration
from airflow_aib.operators.base import ImageTemplateOperator, read_accepted_missing, read_started_run
from airflow_aib.triggers.options import default_deferrable
from airflow_aib.vhd.copy_options import CopyMethod, CopyOptions
from airflow_aib.vhd.pace import MOST_LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_aib.triggers.copying import CopyOrder
    from airflow_aib.triggers.task_state import TaskInstanceFacts

# Seconds. Airflow kills a worker soon after it was told to stop.
ON_KILL_TIME = 4.0
COPY_TIMEOUT = timedelta(days=1)


class AzureImageVhdCopyOperator(ImageTemplateOperator):
    """Copy every VHD that an image template's last run has left to storage of yours, and verify the copies.

    A VHD lies in the staging resource group, which goes away with the image template. Only what has been found equal to
    its copy is marked, so that the image template may be replaced or deleted. Only allocated pages travel, from storage
    to storage; a copy that was broken off goes on where it was; twice does no harm. A run without VHDs is fine. A VHD
    whose distributor names its own address (`uri`) is verified there. VHDs that earlier runs have left in the staging
    resource group, and that nobody has copied, are copied besides.
    Returns one item per VHD: `run_output_name`, `destination`, `length`, `allocated_bytes`, `copied_bytes`, `sha256`,
    `method`.

    Errors: `VhdCopyError` for a VHD that is not saved, or not within `copy_timeout`: run the task again, and the copy
    goes on; `ImageArtifactMissingError` when the build has left no VHD that was not accepted as missing;
    `ImageTemplateInUseError` while the run goes on; `ImageRunWatchError` when the task `run_task_id` has not seen its
    run begin; `ImageTemplateError` for a destination that is none; `ArmRequestError` for whatever else Azure refuses.

    With `deferrable` the triggerer sees to the copy, and no worker is held; it reads each VHD once, to verify it.

    :param destination: `account/container[/folder]`, or the container's https address; a copy lies below it as
        `<image template>/<file name>`
    :param run_task_id: task that started the run, in the same DAG run: only that run's VHDs are copied, none is asked
        for that it has accepted as missing (`on_partial_success`), and its image template is meant where no other is
        named; like all that follows a fact of the DAG file, and no Jinja template
    :param overwrite: whether other content under the same name may be replaced
    :param method: `pages`, storage copies piece by piece; `copy_blob`, storage copies the whole blob in its own time;
        `auto`, the quicker one for the two accounts
    :param concurrency: the most pieces under way at once, for each VHD; fewer are, when storage is busy
    :param retain_for: how long the copy cannot be changed or deleted, from its creation on; its container needs
        version-level immutability support
    :param lock_retention: whether nobody can take that back or shorten it
    :param legal_hold: whether the copy cannot be changed or deleted until somebody lifts the hold
    :param copy_timeout: how long all of it may take
    :param deferrable: whether to copy from the triggerer; by default as Airflow is configured
    """

    template_fields: Sequence[str] = (*ImageTemplateOperator.template_fields, "destination")
    ui_color = "#f3e9d2"
    is_known_otherwise = True
    # What `on_kill` needs, from the moment at which copying begins.
    _order: CopyOrder | None = None
    _task_instance: TaskInstanceFacts | None = None

    def __init__(
        self,
        *,
        destination: str,
        run_task_id: str | None = None,
        overwrite: bool = False,
        method: CopyMethod = "auto",
        concurrency: int = MOST_LANES,
        retain_for: timedelta | None = None,
        lock_retention: bool = False,
        legal_hold: bool = False,
        copy_timeout: timedelta = COPY_TIMEOUT,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.destination = require_container(f"destination of task {self.task_id}", destination)
        self.run_task_id = run_task_id
        self.require_named(is_known_otherwise=run_task_id is not None)
        self.options = CopyOptions(
            overwrite=overwrite,
            method=method,
            concurrency=concurrency,
            retain_for=retain_for,
            lock_retention=lock_retention,
            legal_hold=legal_hold,
        )
        self.copy_timeout = require_duration("copy_timeout", copy_timeout)
        self.deferrable = default_deferrable() if deferrable is None else deferrable

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Copy the VHDs, or have the triggerer copy them."""
        from airflow_aib.hooks.clock import SYSTEM_CLOCK
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.triggers.copying import CopyOrder, save_to_the_end

        started = read_started_run(context, self.run_task_id)
        image_template_id = self.find_image_template_of(started)
        self.note_image_template(image_template_id, run_async(self._look(image_template_id)))
        order = CopyOrder(
            image_template_id=image_template_id,
            destination=self.destination,
            deadline=SYSTEM_CLOCK.now() + self._within,
            start_time=started.start_time if started else None,
            options=self.options,
            accepted_missing=read_accepted_missing(context, self.run_task_id),
        )
        if self.deferrable:
            self._defer(order)
        self._order, self._task_instance = order, context["ti"]
        copies = run_async(save_to_the_end(self.hook.settings, order, log=self.log))
        return [copy.to_json() for copy in copies]

    def execute_complete(self, context: Context, event: Any = None) -> list[dict[str, Any]]:
        """Give what the trigger has copied, or raise what it has met."""
        from airflow_aib.triggers.copying import CopyEvent

        del context
        self.note_resumed()
        copied = CopyEvent.from_payload(event)
        self.note_image_template(copied.image_template_id)
        return [copy.to_json() for copy in copied.require_results()]

    def on_kill(self) -> None:
        """End what storage would go on copying by itself, if nobody wants it any more."""
        from airflow_aib.hooks.run_async import run_async_bounded
        from airflow_aib.triggers.copying import abort_unwanted

        order, task_instance = self._order, self._task_instance
        if order is None or task_instance is None:
            return
        try:
            run_async_bounded(
                lambda: abort_unwanted(self.hook.settings, order, task_instance, self.log), seconds=ON_KILL_TIME
            )
        except Exception:  # this may be a signal handler, in the midst of anything
            self.log.warning("Copies that storage makes by itself, if any, were not ended.", exc_info=True)

    @property
    def _within(self) -> timedelta:
        # Airflow itself limits only the time on a worker by the execution timeout.
        return min(self.copy_timeout, self.execution_timeout or self.copy_timeout)

    def _defer(self, order: CopyOrder) -> None:
        from airflow_aib.triggers.vhd import AzureImageVhdCopyTrigger

        self.defer(
            trigger=AzureImageVhdCopyTrigger(
                order=order.to_json(), not_before=self.earliest_event(), azure_conn_id=self.connection_id
            ),
            method_name="execute_complete",
            # Airflow's own limit comes later than the trigger's, and takes effect when the triggerer is gone.
            timeout=self._within + self.waiting.defer_margin,
        )

    async def _look(self, image_template_id: str) -> dict[str, Any]:
        async with self.open_service() as service:
            return dict(await service.require_image_template(image_template_id))
