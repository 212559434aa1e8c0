"""Airflow with a database of its own, connected to the emulator."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.integration.airflow.airflow_process import AirflowProcess
from tests.integration.airflow.cloud import Cloud
from tests.integration.airflow.legs import Legs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.server import EmulatorThread

CONNECTION = "AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT"

# Looks every tenth of a second, and triggers without a least age: nobody else competes for these task instances.
OPTIONS = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__AZURE_IMAGE_BUILDER__POLL_INTERVAL": "0.1",
    "AIRFLOW__AZURE_IMAGE_BUILDER__TRIGGER_MIN_AGE": "0",
    "AIRFLOW__AZURE_IMAGE_BUILDER__CANCEL_ALLOWANCE": "20",
    # Nobody waits half an hour for an image that never comes; tests of late ones say how long.
    "AIRFLOW__AZURE_IMAGE_BUILDER__LATE_SUCCESS_ALLOWANCE": "0",
}


@pytest.fixture(scope="session")
def airflow_process(
    emulator_thread: EmulatorThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowProcess]:
    """Start the process that runs DAGs, once for all tests of this worker."""
    connection = {CONNECTION: emulator_thread.settings_json}
    environment = {**os.environ, **OPTIONS, **connection}
    with AirflowProcess(tmp_path_factory.mktemp("airflow") / "home", environment) as process:
        yield process


@pytest.fixture
def cloud(emulator: EmulatorThread) -> Cloud:
    """Hand out the emulated Azure, as it is at its start."""
    return Cloud(emulator)


@pytest.fixture
def airflow(airflow_process: AirflowProcess, emulator: EmulatorThread) -> AirflowProcess:
    """Hand out Airflow, with the emulator as it is at its start."""
    del emulator
    return airflow_process


@pytest.fixture
def connection(emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this process itself have the connection, for triggers that a test drives by hand."""
    monkeypatch.setenv(CONNECTION, emulator.settings_json)
    return "azure_image_builder_default"


@pytest.fixture
def legs(connection: str, monkeypatch: pytest.MonkeyPatch) -> Legs:
    """Let this process run a task leg by leg, with the connection and the options that the Airflow process has."""
    del connection
    for name, value in OPTIONS.items():
        monkeypatch.setenv(name, value)
    return Legs()
