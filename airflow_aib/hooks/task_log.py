"""What is used of a task's log: Airflow's loggers have it on workers and triggerers, and the standard library's do."""

from __future__ import annotations

from typing import Any, Protocol


class TaskLog(Protocol):
    """Write into a task's log."""

    def info(self, event: Any, /, *args: Any) -> Any:
        """Tell what happens."""
        ...

    def warning(self, event: Any, /, *args: Any) -> Any:
        """Tell what somebody should know."""
        ...

    def log(self, level: int, event: Any, /, *args: Any) -> Any:
        """Tell something at a level."""
        ...
