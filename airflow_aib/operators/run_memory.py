"""What a task remembers of its run from one try to the next, in Airflow's task state store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.image_run.run_handle import ImageRunHandle

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_aib.image_run.run_status import LastRunStatus

KEY = "image_run"


class TaskStateStore(Protocol):
    """Name what is used of Airflow's `task_state_store`."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give a value."""
        ...

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        ...

    def delete(self, key: str) -> None:
        """Forget a value."""
        ...


@dataclass(frozen=True)
class RunMemory:
    """Remember the run that this task has asked for, from before it is asked for until its bad end has been reported.

    Airflow keeps the store through retries and clears alike. A retry keeps the task's `max_tries`; a clear raises it.

    :param store: Airflow's store of this task instance
    :param max_tries: of the task instance as it is now
    """

    store: TaskStateStore
    max_tries: int

    @classmethod
    def of(cls, context: Context) -> RunMemory:
        """Open the memory of the task that runs now."""
        return cls(context["task_state_store"], context["ti"].max_tries)

    def keep(self, handle: ImageRunHandle) -> None:
        """Remember a run."""
        self.store.set(KEY, {"handle": handle.to_json(), "max_tries": self.max_tries})

    def forget(self) -> None:
        """Forget the run: its end has been reported, so that another try starts another one."""
        self.store.delete(KEY)

    def read(self) -> ImageRunHandle | None:
        """Give the run that is remembered, whether or not this try joins it."""
        kept = self._read_kept()
        return ImageRunHandle.from_json(kept["handle"]) if kept else None

    def recall(self, image_template_id: str, status: LastRunStatus | None) -> ImageRunHandle | None:
        """Give the run that this try joins; None when it starts one of its own.

        After a retry that is the run of the try before, over or not: its end has not been reported. After a clear it
        is only a run that still goes on: who clears a finished task wants it done again.

        :param status: the image template's last run
        """
        kept = self._read_kept()
        if kept is None:
            return None
        handle = ImageRunHandle.from_json(kept["handle"])
        if handle.image_template_id.casefold() != image_template_id.casefold():
            return None
        was_cleared = kept.get("max_tries") != self.max_tries
        if not was_cleared:
            return handle
        goes_on = status is not None and handle.matches(status) and not status.is_over
        return handle if goes_on else None

    def _read_kept(self) -> dict[str, Any] | None:
        kept = self.store.get(KEY)
        return kept if isinstance(kept, dict) and isinstance(kept.get("handle"), dict) else None
