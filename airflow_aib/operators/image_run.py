"""The operator that runs image templates."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_aib.arguments import require_allowance, require_choice, require_seconds
from airflow_aib.exceptions import ImageRunTimeoutError
from airflow_aib.image_run.choices import IF_RUNNING, RELAY_LEVELS, IfRunning, RelayLevel, require_policy
from airflow_aib.operators.base import HANDLE_XCOM, WaitingOperator
from airflow_aib.operators.retry import is_final
from airflow_aib.operators.run_cancel import AzureImageTemplateCancelOperator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from airflow_aib.hooks.run_report import RunReport
    from airflow_aib.hooks.run_start import JoinedRun, OtherRun
    from airflow_aib.image_run.choices import OnPartialSuccess
    from airflow_aib.image_run.run_event import RunEvent
    from airflow_aib.image_run.run_handle import ImageRunHandle
    from airflow_aib.image_run.run_status import LastRunStatus
    from airflow_aib.operators.run_memory import RunMemory
    from airflow_aib.triggers.task_state import TaskInstanceFacts
    from airflow_aib.triggers.watching import WatchOrder

__all__ = ["AzureImageTemplateCancelOperator", "AzureImageTemplateRunOperator"]

# Seconds. A worker that is told that its task is over has five until it is killed.
ON_KILL_TIME = 4.0
# Seconds, after an execution timeout: nobody is waiting with a kill.
ON_TIMEOUT_TIME = 30.0
# What a wait for late images leaves of the execution timeout, for the report of how the run itself has ended.
REPORT_TIME = timedelta(seconds=30)


class AzureImageTemplateRunOperator(WaitingOperator):
    """Run an image template, wait for the end of the build, and return what it made.

    The run is remembered before Azure is asked for it, so that a retry joins it instead of starting another one. Its
    customization log appears in the task's log as it grows, and a failed build's error says why it failed.

    Azure builds an image template once at a time. A run that goes on and is not this task's, started by another task, a
    person in the portal, or Azure itself, is dealt with as `if_running` says.

    Returns `image_template_id`, `start_time`, `end_time`, `run_state`, `outcome`, `missing`, `source_version`,
    `artifacts` and `log_location`; without `wait_for_completion` the run's handle instead. The handle is also the XCom
    `image_run`, from the moment at which the run is known. XCom `relayed_log` says how far its log was told, XCom
    `diagnosis` why a build has failed.

    Errors: `ImageRunFailedError` for a build that failed or lacks images, `ImageRunCanceledError`,
    `ImageRunTimeoutError` for one that was not over in time and was cancelled, and of these `ImageRunStuckError` where
    the cancel did not come to its end; `ImageRunWatchError` when it could not be watched, and goes on;
    `ImageArtifactMissingError` when a good build has left no image, or its outputs are gone; `ImageTemplateInUseError`
    for a run that `if_running` does not bear, or a turn that has not come; `ArmRequestError` for whatever else Azure
    refuses.

    :param if_running: `wait`: wait until that run is over, then run; `adopt`: its end is this task's, and this task
        never cancels it; `cancel`: cancel it, wait until it is over, then run; `fail`: fail, and name it
    :param busy_timeout: seconds for which to wait for its turn at most; by default option `busy_timeout`
    :param run_allowance: seconds that the run may take beyond the image template's build timeout; by default options
        `provisioning_allowance` and `distribution_allowance` together; below 0 to give it up earlier. A run that is
        not over by then, or by the `execution_timeout`, is cancelled
    :param cancel_on_kill: whether to cancel the run when a person marks the task failed or successful; a clear or a
        retry never cancels it, but goes on with it. The `execution_timeout` cancels it in any case
    :param relay_log: what to show of the customization log as it grows: `full`, `summary` (phases, provisioners,
        warnings and errors) or `off`
    :param on_partial_success: what a run means of which some distributors have given no image: `fail`, `warn` or
        `succeed`; or such a word by `runOutputName` for each that may be missing, with `*` for all others, `fail` by
        default. With no image at all the task fails in any case
    :param late_success_allowance: seconds to wait for images after the distribution has failed, or did not come to its
        end in time, since a replication goes on all the same; by default option `late_success_allowance`, 0 for none.
        When all have come, the outcome is `late_success`
    """

    ui_color = "#b3d9f5"
    # What `on_kill` needs, from the moment at which a run is asked for.
    _task_instance: TaskInstanceFacts | None = None
    _asked_for: ImageRunHandle | None = None
    _has_timed_out = False

    def __init__(
        self,
        *,
        if_running: IfRunning = "wait",
        busy_timeout: float | None = None,
        run_allowance: float | None = None,
        cancel_on_kill: bool = True,
        relay_log: RelayLevel = "full",
        on_partial_success: OnPartialSuccess = "fail",
        late_success_allowance: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.if_running: IfRunning = require_choice("if_running", if_running, IF_RUNNING)
        self.busy_timeout = require_seconds("busy_timeout", busy_timeout)
        self.on_partial_success = require_policy(on_partial_success)
        self.late_success_allowance = require_seconds("late_success_allowance", late_success_allowance)
        self.run_allowance = require_allowance("run_allowance", run_allowance)
        self.cancel_on_kill = cancel_on_kill
        self.relay_log: RelayLevel = require_choice("relay_log", relay_log, RELAY_LEVELS)

    def execute(self, context: Context) -> dict[str, Any]:
        """Start or join the run, and wait for it."""
        from airflow_aib.triggers.pushed_diagnosis import pushed_diagnosis

        with pushed_diagnosis(context):
            return self._execute(context)

    def _execute(self, context: Context) -> dict[str, Any]:
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.hooks.run_start import JoinedRun, OtherRun
        from airflow_aib.operators.run_memory import RunMemory

        image_template_id = self.find_image_template_id()
        memory = RunMemory.of(context)
        self._task_instance = context["ti"]
        self.note_image_template(image_template_id)
        with self._noting_timeout(memory):
            found = run_async(self._take_turn(image_template_id, memory))
        if isinstance(found, OtherRun):
            self._defer_until_over(found, memory)
        memory.end_turn()
        if not isinstance(found, JoinedRun):
            return self._conclude(context, found)
        self.note_image_template(image_template_id, found.body)
        context["ti"].xcom_push(key=HANDLE_XCOM, value=found.handle.to_json())
        return self._wait(context, memory, found) if self.wait_for_completion else found.handle.to_json()

    def execute_when_idle(self, context: Context, event: Any = None, began: str | None = None) -> dict[str, Any]:
        """Take the turn that the trigger has waited for; if it was taken by others again, wait on.

        :param began: when this try began, ISO 8601: the wait for the turn is a part of it
        """
        from airflow_aib.triggers.state_event import StateEvent

        self._began = datetime.fromisoformat(began) if began else self._began
        self.log.info("%s", StateEvent.from_payload(event).message)
        return self.execute(context)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Report how the run ended that the trigger has watched."""
        from airflow_aib.image_run.run_event import RunEvent
        from airflow_aib.triggers.pushed_diagnosis import pushed_diagnosis

        self.note_resumed()
        with pushed_diagnosis(context):
            return self._conclude(context, RunEvent.from_payload(event))

    def on_kill(self) -> None:
        """Cancel the run that this worker has asked for, if nobody wants it any more.

        Tried with a LocalExecutor: the task's state can be asked for within milliseconds, from another thread; it is
        `failed` or `success` when a person has ended the task, `restarting` after a clear, `running` when it is only
        the worker that is told to stop, or when the execution timeout has struck. If it cannot be told, the run goes
        on: a build too many costs money until its own timeout, a build cancelled without cause costs a new one.
        """
        from airflow_aib.hooks.run_async import run_async_bounded
        from airflow_aib.operators.run_kill import cancel_unwanted

        handle, task_instance = self._asked_for, self._task_instance
        if handle is None or task_instance is None or not (self.cancel_on_kill or self._has_timed_out):
            return
        task, seconds = (None, ON_TIMEOUT_TIME) if self._has_timed_out else (task_instance, ON_KILL_TIME)
        try:
            if not run_async_bounded(
                lambda: cancel_unwanted(self.hook.settings, handle, task, self.log), seconds=seconds
            ):
                self.log.warning("There was no time to cancel the run; it goes on until its build timeout.")
        except Exception:  # this may be a signal handler, in the midst of anything
            self.log.warning("The run was not cancelled; it goes on until its build timeout.", exc_info=True)

    async def _take_turn(self, image_template_id: str, memory: RunMemory) -> JoinedRun | OtherRun | RunEvent:
        """Come to a run; on the worker wait for its turn, else give the run that must be over first."""
        from airflow_aib.hooks.run_start import OtherRun, RunStart

        async with self.open_service() as service:
            start = RunStart(service, memory, self.if_running, self.log, self.waiting.handover, self._note_asked)
            while True:
                found = await start.settle(image_template_id)
                if not isinstance(found, OtherRun):
                    return found
                left = self._time_left(found, memory)
                if self.deferrable:
                    return found
                # One that is not over in time is seen at once.
                with suppress(ImageRunTimeoutError):
                    await service.wait_until_idle(
                        image_template_id,
                        handle=found.handle,
                        handover=timedelta(seconds=found.handover),
                        poll_interval=self.seconds_between_looks,
                        within=left,
                    )

    def _note_asked(self, handle: ImageRunHandle | None) -> None:
        self._asked_for = handle

    def _time_left(self, other: OtherRun, memory: RunMemory) -> timedelta:
        """Give how long this try may still wait for its turn."""
        from airflow_aib.hooks.clock import SYSTEM_CLOCK
        from airflow_aib.hooks.run_start import waited_too_long

        if other.status.is_over:
            return timedelta(seconds=other.handover)
        seconds = self.busy_timeout if self.busy_timeout is not None else self.waiting.busy_timeout
        within = timedelta(seconds=seconds)
        if self.execution_timeout:
            # Airflow itself limits only the time on a worker by it.
            within = min(within, self.execution_timeout)
        left = memory.turn_deadline(SYSTEM_CLOCK.now() + within) - SYSTEM_CLOCK.now()
        if left > timedelta():
            return left
        memory.end_turn()
        raise waited_too_long(other, within)

    def _defer_until_over(self, other: OtherRun, memory: RunMemory) -> NoReturn:
        """Wait for the turn on the triggerer: a deferral of its own, since only a worker may ask for a run.

        A trigger may run twice at once and has no task state, so that it cannot know that the other has asked already.
        """
        left = self._time_left(other, memory)
        self.defer_until(
            "idle",
            other.handle.image_template_id,
            left,
            other.handle,
            handover=other.handover,
            method_name="execute_when_idle",
            kwargs={"began": self._began.isoformat()},
        )

    def _wait(self, context: Context, memory: RunMemory, joined: JoinedRun) -> dict[str, Any]:
        """Wait for the run's end, wherever that is done."""
        from airflow_aib.image_run.run_event import RunEvent
        from airflow_aib.image_run.run_outcome import describe_unknown_names
        from airflow_aib.image_run.run_status import read_last_run_status

        if unknown := describe_unknown_names(self.on_partial_success, joined.body):
            self.log.warning("%s", unknown)
        status = read_last_run_status(joined.body)
        is_over = status is not None and status.is_over and joined.handle.matches(status)
        if status is not None and is_over and not self._may_come_late(status):
            image_template_id = joined.handle.image_template_id
            event = RunEvent("over", image_template_id, status.to_json(), "The run is over already.")
        elif self.deferrable:
            self._defer(self._order(joined))
        else:
            with self._noting_timeout(memory):
                event = self._watch_here(self._order(joined))
        self._asked_for = None
        return self._conclude(context, event)

    def _order(self, joined: JoinedRun) -> WatchOrder:
        from airflow_aib.image_run.deadline import run_deadline
        from airflow_aib.image_run.run_status import parse_service_time
        from airflow_aib.triggers.watching import WatchOrder

        handle = joined.handle
        asked = datetime.fromisoformat(handle.submit_time)
        allowance = self.run_allowance if self.run_allowance is not None else self.waiting.allowance
        overdue_at = run_deadline(
            joined.body, parse_service_time(handle.start_time) or asked, timedelta(seconds=allowance)
        )
        times_out_at = self.times_out_at
        # On the worker Airflow's own alarm strikes then; two at once would leave to chance which of them is told.
        deadline = min(overdue_at, times_out_at) if times_out_at and self.deferrable else overdue_at
        return WatchOrder(
            handle=handle,
            deadline=deadline,
            time_limit="execution_timeout" if deadline == times_out_at else "build_timeout",
            poll_interval=self.seconds_between_looks,
            cancel_overdue=handle.is_own,
            cancel_allowance=self.waiting.cancel_allowance,
            relay_log=self.relay_log,
            late_allowance=self._late_allowance,
            on_partial_success=self.on_partial_success,
            late_until=times_out_at - REPORT_TIME if times_out_at is not None else None,
        )

    @property
    def _late_allowance(self) -> float:
        given = self.late_success_allowance
        return given if given is not None else self.waiting.late_success_allowance

    def _may_come_late(self, status: LastRunStatus) -> bool:
        from airflow_aib.image_run.late_success import may_come_late

        return bool(self._late_allowance) and may_come_late(status)

    def _defer(self, order: WatchOrder) -> NoReturn:
        from airflow_aib.hooks.clock import SYSTEM_CLOCK
        from airflow_aib.triggers.image_template import AzureImageTemplateRunTrigger

        left = max(order.deadline - SYSTEM_CLOCK.now(), timedelta())
        self.defer(
            trigger=AzureImageTemplateRunTrigger(
                order=order.to_json(),
                not_before=self.earliest_event(),
                azure_conn_id=self.connection_id,
                cancel_on_kill=self.cancel_on_kill,
            ),
            method_name="execute_complete",
            # Airflow's own limit comes later than the trigger's, and takes effect when the triggerer is gone.
            timeout=left + self.cancel_allowance + timedelta(seconds=self._late_allowance) + self.waiting.defer_margin,
        )

    def _watch_here(self, order: WatchOrder) -> RunEvent:
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.triggers.watching import watch_to_the_end

        return run_async(watch_to_the_end(self.hook.settings, order, log=self.log))

    @contextmanager
    def _noting_timeout(self, memory: RunMemory) -> Iterator[None]:
        """Note when the execution timeout strikes: Airflow calls `on_kill` next, which tells it from other kills."""
        try:
            yield
        except AirflowTaskTimeout:
            if self._asked_for is not None:
                # It is cancelled then: the next try must not join it.
                self._has_timed_out = True
                memory.retire()
            raise

    def _conclude(self, context: Context, event: RunEvent) -> dict[str, Any]:
        from airflow_aib.hooks.run_report import lost_run_error
        from airflow_aib.operators.run_memory import RunMemory

        image_template_id, status = event.image_template_id, event.read_last_run_status()
        self.note_image_template(image_template_id)
        self.log.info("%s", event.message)
        memory = RunMemory.of(context)
        _note_start_time(context, memory, status)
        if event.status == "gone":
            memory.forget()
        elif event.found_none_in_time:
            memory.retire_unseen()
        if event.status in {"gone", "unwatchable"} or status is None:
            raise lost_run_error(event)
        return self._report(memory, event, status)

    def _report(self, memory: RunMemory, event: RunEvent, status: LastRunStatus) -> dict[str, Any]:
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.hooks.run_report import log_digest, log_outcome, run_error

        report = run_async(self._read_report(event, status))
        self.portal_resources.staging_resource_group_id = report.staging_resource_group_id
        self.note_artifacts(report.artifacts)
        log_digest(report, self.log)
        verdict = report.judge(self.on_partial_success)
        if verdict == "fail":
            error = run_error(report, event)
            if status.is_over and not is_final(self.retry_policy, error):
                # From here on the end has been reported: another try starts another run.
                memory.forget()
            raise error
        # Neither a success nor a final failure is forgotten: if this worker dies before Airflow knows of it, there is
        # another try, which must report the very same run. A clear starts another one all the same.
        log_outcome(report, self.log, is_warning=verdict == "warn")
        return report.to_json()

    async def _read_report(self, event: RunEvent, status: LastRunStatus) -> RunReport:
        from airflow_aib.hooks.run_report import read_report

        async with self.open_service() as service:
            return await read_report(
                service,
                event.image_template_id,
                status,
                self.log,
                late=event.read_late_artifacts(),
                is_late=event.is_late,
                known_log=event.read_customization_log(),
            )


def _note_start_time(context: Context, memory: RunMemory, status: LastRunStatus | None) -> None:
    """Complete the handle of a run that had not appeared yet when this task began to wait for it."""
    handle = memory.read()
    if status is None or handle is None or handle.start_time is not None:
        return
    joined = handle.joined_to(status)
    memory.keep(joined)
    context["ti"].xcom_push(key=HANDLE_XCOM, value=joined.to_json())
