"""Kills of a copy that runs on a worker: `on_kill`, as Airflow calls it there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.operators import vhd
from tests.fakes import FakeSupervisor
from tests.integration.airflow.cloud import until
from tests.integration.airflow.tasks import COPY, task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs

VHDS = "imagestore/images/vhds"
COPY_BLOB = "PUT /{account}/{container}/{blob}"


class Copying(threading.Thread):
    """Run the copy operator as a worker does, and keep how it ends.

    :param legs: make it
    """

    def __init__(self, legs: Legs) -> None:
        super().__init__(daemon=True)
        self.operator: Any = legs.make(task(COPY, "copy", destination=VHDS, method="copy_blob", deferrable=False))
        self.context = legs.context
        self.copies: list[dict[str, Any]] = []
        self.error: Exception | None = None

    def run(self) -> None:
        """Copy."""
        try:
            self.copies = self.operator.execute(self.context)
        except VhdCopyError as error:
            self.error = error


@pytest.fixture
def copying(cloud: Cloud, legs: Legs) -> Iterator[Copying]:
    """Have storage copy a VHD by itself, in hours, for a task on a worker."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.start_run()
    cloud.finish_run()
    cloud.emulator.control.set_scale(1)
    cloud.emulator.control.set_copy_pace(10_000.0)
    copying = Copying(legs)
    copying.start()
    until(lambda: COPY_BLOB in cloud.emulator.control.count_requests(path="images/vhds/", status="202"))
    yield copying
    cloud.emulator.control.advance(10_000)
    copying.join(60)
    assert not copying.is_alive()


def ended(cloud: Cloud) -> int:
    """Count the copies that storage was told to end."""
    return cloud.emulator.control.count_requests(endpoint="blob").get(f"{COPY_BLOB}?comp=copy", 0)


def kill(copying: Copying, supervisor: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the task, as its worker does."""
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    copying.operator.on_kill()


def test_a_persons_kill_ends_what_storage_copies_by_itself(
    cloud: Cloud, copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked failed: nobody wants the copy any more, and storage is told so before the worker is gone."""
    kill(copying, FakeSupervisor("failed"), monkeypatch)

    assert ended(cloud) == 1
    copying.join(60)
    assert "aborted" in str(copying.error)


def test_a_kill_that_is_not_the_end_leaves_the_copy(
    cloud: Cloud, copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is shut down, a clear, and a state that cannot be told or takes too long: the copy goes on."""
    silence = threading.Event()
    monkeypatch.setattr(vhd, "ON_KILL_TIME", 0.1)
    kill(copying, FakeSupervisor("failed", may_answer=silence), monkeypatch)
    monkeypatch.undo()
    for supervisor in (FakeSupervisor("running"), FakeSupervisor(None), FakeSupervisor(error=ConnectionError("gone"))):
        kill(copying, supervisor, monkeypatch)
        assert len(supervisor.asked) == 1

    assert ended(cloud) == 0
    cloud.emulator.control.advance(10_000)
    copying.join(60)
    silence.set()
    assert copying.error is None
    assert [copy["method"] for copy in copying.copies] == ["copy_blob"]


def test_a_kill_before_the_copy_has_begun_asks_nobody(legs: Legs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that is still waiting for its answer from Azure has nothing to end."""
    supervisor = FakeSupervisor("failed")

    kill(Copying(legs), supervisor, monkeypatch)

    assert supervisor.asked == []
