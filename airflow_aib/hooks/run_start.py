"""Come to a run: join the one that was asked for, ask for one, or make room or wait for it as the user has chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.exceptions import ImageTemplateInUseError
from airflow_aib.hooks.run_requests import LookBeforeRun, busy
from airflow_aib.hooks.waiting import until_answered
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import LastRunStatus, RunState
from airflow_aib.image_run.start_plan import NextStep, next_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.choices import IfRunning

# So often somebody else may be quicker in a row, and be done by the next look.
MOST_REFUSALS = 5


class RunNotes(Protocol):
    """Name what is used of a task's memory; it outlives this process."""

    def recall(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give the run that this try joins."""
        ...

    def find_former(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give the run, if it is one of this task that was given up and is not over."""
        ...

    def keep(self, handle: ImageRunHandle) -> None:
        """Remember a run."""
        ...

    def forget(self) -> None:
        """Forget the run."""
        ...


@dataclass(frozen=True)
class JoinedRun:
    """Hold the run that this try is about, and the image template as it looked then.

    :param handle: the run
    :param body: the image template
    """

    handle: ImageRunHandle
    body: Mapping[str, Any]


@dataclass(frozen=True)
class OtherRun:
    """Hold the run that has to be over first, and for how long.

    :param handle: the run
    :param status: how it looked
    :param handover: seconds for which it must be over
    """

    handle: ImageRunHandle
    status: LastRunStatus
    handover: float


@dataclass(frozen=True)
class RunStart:
    """Come to a run, however far an earlier try has come.

    :param service: how Azure is reached
    :param notes: the task's memory
    :param if_running: what to do about a run that is not ours
    :param log: where it is told
    :param handover: seconds for which the run of somebody else must be over before ours hides it
    :param on_asked: is shown the run as soon as it is asked for, so that a kill finds it, and None when it is refused
    """

    service: ImageTemplateService
    notes: RunNotes
    if_running: IfRunning
    log: TaskLog
    handover: float
    on_asked: Callable[[ImageRunHandle | None], None]

    async def settle(self, image_template_id: str, *, refusals: int = 0) -> JoinedRun | OtherRun | RunEvent:
        """Look once, and do what comes next.

        Gives the run; or the one that must be over before this is worth calling again; or the event that nobody can
        say any more what became of ours.

        :param refusals: how often Azure has refused this task's request by now, because of a run that had been begun
        """
        look = await until_answered(
            lambda: self.service.look_before_run(image_template_id, retries=False), self.service.clock
        )
        status, remembered = look.status, self.notes.recall(image_template_id, look.status)
        former = self.notes.find_former(image_template_id, status)
        step = next_step(status, self.if_running, remembered=remembered, is_former=former is not None)
        if step is NextStep.START and status is not None and not look.is_idle(timedelta(seconds=self.handover)):
            return self._let_be_read(look, status)
        if step is NextStep.START:
            return await self._start(look, remembered, refusals)
        if remembered is not None and step is NextStep.JOIN:
            return self._join(look, remembered)
        if status is None or step is NextStep.LOST:
            return _lost(image_template_id, status)
        if former is not None:
            return await self._end_former(look, status, former)
        return await self._give_way(look, status, step, refusals)

    def _join(self, look: LookBeforeRun, remembered: ImageRunHandle) -> JoinedRun:
        status = look.status
        handle = remembered.joined_to(status) if status is not None and remembered.matches(status) else remembered
        self.log.info(
            "An earlier try asked for a run at %s; it is joined: %s.",
            handle.submit_time,
            f"it started {handle.start_time}" if handle.start_time else "it has not appeared yet",
        )
        self._note(handle)
        return JoinedRun(handle, look.body)

    async def _start(
        self, look: LookBeforeRun, remembered: ImageRunHandle | None, refusals: int
    ) -> JoinedRun | OtherRun | RunEvent:
        prepared, is_repeat = look.prepared, remembered is not None
        if is_repeat:
            self.log.info("An earlier try has asked for a run, and none has come about: it is asked for again.")
        self._note(prepared)
        try:
            handle = await self.service.request_run(
                prepared, is_repeat=is_repeat, on_asked_again=self._note, on_refused=self._forget
            )
        except ImageTemplateInUseError:
            self._forget()
            if refusals == MOST_REFUSALS:
                raise
            return await self.settle(prepared.image_template_id, refusals=refusals + 1)
        # Before anything else: from here on the run is certainly ours.
        self._note(handle)
        handle = await self.service.see_run(handle)
        self._note(handle)
        self._tell_started(handle)
        return JoinedRun(handle, look.body)

    def _note(self, handle: ImageRunHandle) -> None:
        """Keep the run where a kill, and the next try, will find it; the former may strike while it is kept."""
        self.on_asked(handle)
        self.notes.keep(handle)

    def _forget(self) -> None:
        """Forget what was refused: else another try took for its own what somebody else has started by then."""
        self.notes.forget()
        self.on_asked(None)

    def _tell_started(self, handle: ImageRunHandle) -> None:
        if handle.start_time is not None and handle.ownership == RunOwnership.UNCONFIRMED:
            self.log.warning(
                "Azure's answer does not say whether it has started the run. One has begun at %s since, which is taken "
                "for it; as that is not certain, nothing of this task will cancel it.",
                handle.start_time,
            )
        self.log.info("The run started %s.", handle.start_time or "a moment ago")

    async def _end_former(self, look: LookBeforeRun, status: LastRunStatus, former: ImageRunHandle) -> OtherRun:
        """Wait for a run that an earlier try has given up; ask for its cancel again where that has not been heard."""
        is_cancelled = former.is_own and status.run_state != RunState.CANCELING
        self.log.info(
            "An earlier try of this task has given up the run that started %s (%s). %s",
            status.start_time,
            status.phase,
            _CANCELLED_AGAIN if is_cancelled else _WORDS[NextStep.WAIT],
        )
        if is_cancelled:
            await self.service.cancel_through_outages(former.image_template_id, handle=former)
        return OtherRun(_foreign(look, status), status, handover=0)

    async def _give_way(
        self, look: LookBeforeRun, status: LastRunStatus, step: NextStep, refusals: int
    ) -> JoinedRun | OtherRun:
        """Do about a run that is not ours what the user has chosen."""
        image_template_id, foreign = look.prepared.image_template_id, _foreign(look, status)
        self.log.info(
            "Image template %s has a run that started %s (%s) and is not this task's to build on: %s. %s",
            image_template_id,
            status.start_time,
            status.phase,
            _REFUSED if refusals else _UNASKED,
            _WORDS[step],
        )
        if step is NextStep.FAIL:
            raise busy(image_template_id, status)
        if step is NextStep.ADOPT:
            self._note(foreign)
            return JoinedRun(foreign, look.body)
        if step is NextStep.CANCEL and status.run_state != RunState.CANCELING:
            await self.service.cancel_through_outages(image_template_id, handle=foreign)
        return OtherRun(foreign, status, self.handover)

    def _let_be_read(self, look: LookBeforeRun, status: LastRunStatus) -> OtherRun:
        self.log.info(
            "The run that started %s ended a moment ago, at %s. Azure shows end and outputs of the last run only: "
            "whoever waits for that one has %g seconds to read them, then this task runs its own.",
            status.start_time,
            status.end_time,
            self.handover,
        )
        return OtherRun(_foreign(look, status), status, self.handover)


_WORDS = {
    NextStep.ADOPT: "It is adopted (if_running='adopt'): its end is this task's, and nothing of this task cancels it.",
    NextStep.WAIT: "This task waits until it is over, and then runs its own.",
    NextStep.CANCEL: "It is cancelled (if_running='cancel'); once it is over, this task runs its own.",
    NextStep.FAIL: "This task fails (if_running='fail').",
}
_CANCELLED_AGAIN = "It goes on, so its cancel is asked for again; once it is over, this task runs its own."
# How a run is recognised as somebody else's.
_UNASKED = "it goes on although this task has asked for none"
_REFUSED = "Azure has refused this task's request because of it"


def _foreign(look: LookBeforeRun, status: LastRunStatus) -> ImageRunHandle:
    return ImageRunHandle(
        look.prepared.image_template_id,
        look.prepared.submit_time,
        start_time=status.start_time,
        ownership=RunOwnership.FOREIGN,
    )


def _lost(image_template_id: str, status: LastRunStatus | None) -> RunEvent:
    return RunEvent(
        "gone",
        image_template_id,
        None,
        f"An earlier try of this task has asked for a run of image template {image_template_id}; another one has begun "
        f"since, at {status.start_time if status else 'a time unknown'}, and Azure tells of the last one only: what "
        "became of ours is unknown",
    )


def waited_too_long(other: OtherRun, within: timedelta) -> ImageTemplateInUseError:
    """Make the error for a turn that has not come in time."""
    status, image_template_id = other.status, other.handle.image_template_id
    return ImageTemplateInUseError(
        f"This task has waited {within} for its turn to run image template {image_template_id}, and the run that "
        f"started {status.start_time} still goes on ({status.phase})",
        hint="Allow more by busy_timeout, or let if_running adopt or cancel such a run; one that stays Canceling for "
        "hours is a matter for Azure's support.",
        image_template_id=image_template_id,
        start_time=status.start_time,
        run_state=status.run_state,
    )
