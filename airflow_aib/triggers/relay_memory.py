"""How far a trigger has relayed its log, kept where the triggerer that takes over finds it.

Tried with Airflow 3.3: each triggerer writes a log file of its own for a try, and the UI shows all of them together. So
another triggerer must go on where this one was, or every line stands there twice. The same triggerer, should a trigger
come back to it, empties its file first: there everything is told again. A trigger cannot use the task state store; it
can use XComs, which a new try begins without, as it begins with a new log.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.log_relay import RelayMark

if TYPE_CHECKING:
    from airflow_aib.triggers.task_state import TaskInstanceFacts

log = logging.getLogger(__name__)

KEY = "relayed_log"
# A triggerer that is killed loses no more than this: what it told since is told once more.
BETWEEN_MARKS = timedelta(seconds=60)
# Seconds that Airflow may take to answer; a mark is a help, and never a reason to stop watching.
PATIENCE = 10.0
# Seconds for the question with which a triggerer begins: it loads much of Airflow to answer the first one, and a
# thousand that begin together are answered one after the other.
RECALL_PATIENCE = 120.0
# Questions at a time, in threads of their own: those that all share may be busy for long with digests of VHDs.
AT_ONCE = 2
# This triggerer.
PROCESS = uuid.uuid4().hex


@dataclass
class RelayMemory:
    """Keep the mark of one task instance.

    :param task_instance: whose log it is
    :param process: what tells triggerers apart
    """

    task_instance: TaskInstanceFacts
    process: str = PROCESS
    _kept: RelayMark | None = None
    _kept_at: datetime | None = field(default=None)

    async def recall(self) -> RelayMark | None:
        """Give where another triggerer has ended; None when there was none, or when it was this one."""
        value = await self._ask(self._get, RECALL_PATIENCE)
        if not isinstance(value, dict) or value.get("process") == self.process:
            return None
        try:
            return RelayMark.from_json(value["mark"])
        except (KeyError, TypeError, ValueError):
            return None

    async def note(self, mark: RelayMark | None, now: datetime) -> None:
        """Keep a mark, but not more often than is needed."""
        if self._kept_at is None:
            self._kept_at = now
        if now - self._kept_at >= BETWEEN_MARKS:
            self._kept_at = now
            await self.keep(mark)

    async def keep(self, mark: RelayMark | None) -> None:
        """Keep a mark now, unless it is kept already."""
        if mark is not None and mark != self._kept:
            await self._ask(lambda: self._set({"process": self.process, "mark": mark.to_json()}))
            self._kept = mark

    async def _ask(self, question: Any, patience: float = PATIENCE) -> Any:
        """Ask Airflow, from a thread, since it answers only to those that wait."""
        try:
            async with asyncio.timeout(patience):
                context = contextvars.copy_context()
                return await asyncio.get_running_loop().run_in_executor(_threads(), context.run, question)
        except Exception:
            log.debug("How far the log was relayed could not be kept or read.", exc_info=True)
            return None

    def _get(self) -> Any:
        from airflow.sdk.execution_time.xcom import XCom

        return XCom.get_one(key=KEY, **self._where)

    def _set(self, value: dict[str, Any]) -> None:
        from airflow.sdk.execution_time.xcom import XCom

        XCom.set(key=KEY, value=value, **self._where)

    @property
    def _where(self) -> dict[str, Any]:
        map_index = self.task_instance.map_index
        return {
            "dag_id": self.task_instance.dag_id,
            "task_id": self.task_instance.task_id,
            "run_id": self.task_instance.run_id,
            "map_index": map_index if map_index is not None and map_index >= 0 else None,
        }


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="airflow-aib-marks")
