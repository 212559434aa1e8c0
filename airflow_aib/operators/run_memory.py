"""What a task remembers of its run from one try to the next, in Airflow's task state store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import RunState

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_aib.image_run.run_status import LastRunStatus

KEY = "image_run"
# A run that was given up and was not over by then.
FORMER_KEY = "image_run_former"
# Until when this try waits for its turn.
TURN_KEY = "image_run_turn"
# Whatever a deployment's own default is: longer than any build, its retries and the delays between them.
RETENTION = timedelta(days=30)


class TaskStateStore(Protocol):
    """Name what is used of Airflow's `task_state_store`."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give a value."""
        ...

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """Keep a value, for so long at least."""
        ...

    def delete(self, key: str) -> None:
        """Forget a value."""
        ...


@dataclass(frozen=True)
class RunMemory:
    """Remember the run that this task has asked for, from before it is asked for until its bad end has been reported.

    Airflow keeps the store through retries and clears alike. A retry keeps the task's `max_tries`; a clear sets it to
    the number of tries by then plus the task's `retries`.

    :param store: Airflow's store of this task instance
    :param max_tries: of the task instance as it is now
    :param try_number: of the task instance as it is now
    :param retries: of the task as it is now; a DAG may have been changed since the try before
    """

    store: TaskStateStore
    max_tries: int
    try_number: int = 1
    retries: int = 0

    @classmethod
    def of(cls, context: Context) -> RunMemory:
        """Open the memory of the task that runs now."""
        task_instance = context["ti"]
        retries = task_instance.task.retries or 0
        return cls(context["task_state_store"], task_instance.max_tries, task_instance.try_number, retries)

    def keep(self, handle: ImageRunHandle) -> None:
        """Remember a run."""
        self._set(KEY, {"handle": handle.to_json(), "max_tries": self.max_tries, "try_number": self.try_number})

    def forget(self) -> None:
        """Forget the run: its end has been reported, so that another try starts another one."""
        self.store.delete(KEY)

    def retire(self) -> None:
        """Forget a run that is given up; while it is not over, another try knows it and waits until it is."""
        handle = self.read()
        if handle is not None and handle.ownership != RunOwnership.FOREIGN:
            self._set(FORMER_KEY, handle.to_json())
        self.forget()

    def retire_unseen(self) -> None:
        """Give up a run that has not appeared by its deadline: who joined it again would be too late at once."""
        handle = self.read()
        if handle is not None and handle.start_time is None:
            self.retire()

    def find_former(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give the run of the status, if it is one that this task has given up and that is not over.

        :param status: the image template's last run
        """
        if status is None:
            return None
        former = self._read_former(image_template_id)
        # A person who has ended the task and clears it meets its run while that is being cancelled.
        cleared = self._read_of(image_template_id) if self._was_cleared() else None
        if former is not None:
            self._follow_former(former, status)
        given_up = [handle for handle in (former, cleared) if handle is not None and handle.matches(status)]
        return given_up[0].joined_to(status) if given_up and not status.is_over else None

    def turn_deadline(self, otherwise: datetime) -> datetime:
        """Give until when this try waits for its turn, through all its legs.

        :param otherwise: until when, if it has not begun to wait
        """
        kept = self.store.get(TURN_KEY)
        if isinstance(kept, dict) and kept.get("try_number") == self.try_number:
            return datetime.fromisoformat(str(kept["deadline"]))
        self._set(TURN_KEY, {"deadline": otherwise.isoformat(), "try_number": self.try_number})
        return otherwise

    def end_turn(self) -> None:
        """Forget until when to wait: it is this task's turn, or it has waited long enough."""
        self.store.delete(TURN_KEY)

    def read(self) -> ImageRunHandle | None:
        """Give the run that is remembered, whether or not this try joins it."""
        kept = self._read_kept()
        return ImageRunHandle.from_json(kept["handle"]) if kept else None

    def recall(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give the run that this try joins; None when it starts one of its own.

        After a retry that is the run of the try before, over or not: its end has not been reported. After a clear it
        is only a run that still goes on: who clears a finished task wants it done again, and who clears a task that was
        ended by hand meets its run while that is being cancelled.

        :param status: the image template's last run
        """
        handle = self._read_of(image_template_id)
        if handle is None or not self._was_cleared():
            return handle
        return handle if _goes_on(handle, status) else None

    def _read_of(self, image_template_id: str) -> ImageRunHandle | None:
        return _only_of(image_template_id, self.read())

    def _read_former(self, image_template_id: str) -> ImageRunHandle | None:
        kept = self.store.get(FORMER_KEY)
        return _only_of(image_template_id, ImageRunHandle.from_json(kept)) if _is_handle(kept) else None

    def _follow_former(self, former: ImageRunHandle, status: LastRunStatus) -> None:
        """Forget a run that was given up once that is over; while its start is unknown, any other may look like it."""
        is_ours = former.matches(status)
        if former.is_overtaken_by(status) or (is_ours and status.is_over):
            self.store.delete(FORMER_KEY)
        elif is_ours and former.start_time is None:
            self._set(FORMER_KEY, former.joined_to(status).to_json())

    def _was_cleared(self) -> bool:
        kept = self._read_kept()
        if kept is None:
            return False
        if kept.get("max_tries") != self.max_tries:
            return True
        # A clear after fewer `retries` may come to the same number: was there a try since whose clear would have?
        tries_by_clear = self.max_tries - self.retries
        return int(kept.get("try_number", self.try_number)) <= tries_by_clear < self.try_number

    def _set(self, key: str, value: dict[str, Any]) -> None:
        self.store.set(key, value, retention=RETENTION)

    def _read_kept(self) -> dict[str, Any] | None:
        kept = self.store.get(KEY)
        return kept if isinstance(kept, dict) and _is_handle(kept.get("handle")) else None


def _is_handle(kept: Any) -> bool:
    return isinstance(kept, dict) and {"image_template_id", "submit_time"} <= kept.keys()


def _only_of(image_template_id: str, handle: ImageRunHandle | None) -> ImageRunHandle | None:
    is_same = handle is not None and handle.image_template_id.casefold() == image_template_id.casefold()
    return handle if is_same else None


def _goes_on(handle: ImageRunHandle, status: LastRunStatus | None) -> bool:
    """Whether a run is there to go on with, or is about to appear."""
    if status is not None and handle.matches(status):
        return not status.is_over and status.run_state != RunState.CANCELING
    return handle.is_own and handle.start_time is None and not handle.is_overtaken_by(status)
