"""Runs an emulator on a thread of its own, for tests and for programs that have another loop."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aib_emulator.app import Emulator
from aib_emulator.control_client import ControlClient
from aib_emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

T = TypeVar("T")
START_TIMEOUT = 90.0
STOP_TIMEOUT = 15.0


class EmulatorStartError(RuntimeError):
    """The emulator did not start; its cause says why."""


class EmulatorThread:
    """Run an emulator on a thread and event loop of its own, as a context manager.

    :param settings: what it is told; the usual when None
    :param start_timeout: seconds after which it is ended, and entering fails
    """

    def __init__(self, settings: EmulatorSettings | None = None, *, start_timeout: float = START_TIMEOUT) -> None:
        self.emulator = Emulator(settings or EmulatorSettings())
        self._start_timeout = start_timeout
        self._thread = threading.Thread(target=self._run, name="aib-emulator", daemon=True)
        self._has_loop = threading.Event()
        self._is_ready = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ending: asyncio.Event | None = None

    @cached_property
    def control(self) -> ControlClient:
        """A client of its control door."""
        return ControlClient(self.emulator.control_url, self.emulator.ca_file)

    @property
    def env(self) -> dict[str, str]:
        """The variables that point clients at it."""
        return self.emulator.environment()

    @property
    def settings_json(self) -> str:
        """The Airflow connection to it, as JSON."""
        return json.dumps(self.emulator.airflow_connection())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry something out in the emulator's own loop, between two of its calls, and return what it returns."""
        if self._loop is None:
            raise EmulatorStartError("The emulator is not started.")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_TIMEOUT)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._is_ready.wait(self._start_timeout):
            self._give_up()
            raise EmulatorStartError(f"The emulator was not ready within {self._start_timeout:g} s.")
        if self._error is not None:
            raise EmulatorStartError(f"The emulator did not start: {self._error}") from self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._ending is not None:
            self._loop.call_soon_threadsafe(self._ending.set)
        self._join()

    def _give_up(self) -> None:
        self._has_loop.wait()
        if self._loop is not None and self._starting is not None and self._ending is not None:
            self._loop.call_soon_threadsafe(self._starting.cancel)
            self._loop.call_soon_threadsafe(self._ending.set)  # it may have become ready at the last moment
        self._join()

    def _join(self) -> None:
        self._thread.join(STOP_TIMEOUT)
        if self._thread.is_alive():
            raise RuntimeError(f"The emulator did not stop within {STOP_TIMEOUT:.0f} s.")

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._starting = asyncio.create_task(self.emulator.start())
        self._has_loop.set()
        try:
            await self._starting
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
            self._error = error
            return
        finally:
            self._is_ready.set()
        await self._ending.wait()
        await self.emulator.stop()
