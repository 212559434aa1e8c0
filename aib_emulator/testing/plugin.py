"""The pytest plugin: its options and its fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.testing.azure import Azure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aib_emulator.server import EmulatorThread
    from aib_emulator.settings import EmulatorSettings

CONNECTION_ID = "azure_image_builder_default"
CONNECTION_VARIABLE = f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"
MEBIBYTE = 1024 * 1024
OPTIONS = {
    "aib_emulator_time_scale": ("400", "emulated seconds per second: a run of seven minutes takes one"),
    "aib_emulator_vhd_size_mib": ("64", "size of the VHDs that builds leave"),
    "aib_emulator_retry_after": ("", "seconds to send as Retry-After with unfinished operations; empty sends none"),
    "aib_emulator_log_form": ("new", "form of build logs: new or old"),
    "aib_emulator_choices": ("", "answers that nobody knows of the service: NAME=VALUE, with spaces between them"),
}
FLAGS = {
    "aib_emulator_strict": (True, "a planned fault that strikes no call fails its test"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest the options of its configuration file."""
    for name, (default, text) in OPTIONS.items():
        parser.addini(name, f"aib_emulator: {text}", type="string", default=default)
    for flag, (is_on, text) in FLAGS.items():
        parser.addini(flag, f"aib_emulator: {text}", type="bool", default=is_on)


@pytest.fixture(scope="session")
def aib_emulator(request: pytest.FixtureRequest) -> Iterator[EmulatorThread]:
    """Start one local Azure, with its blobs, for all tests of this process."""
    try:
        from aib_emulator.server import EmulatorThread
    except ImportError as error:
        raise pytest.UsageError(
            f"The emulator needs its extra: pip install '.[emulator]' in the clone ({error})."
        ) from error
    with EmulatorThread(_settings(request.config)) as thread:
        yield thread


@pytest.fixture
def azure(request: pytest.FixtureRequest, aib_emulator: EmulatorThread) -> Iterator[Azure]:
    """Hand out the local Azure as it is at its start."""
    found = Azure(aib_emulator)
    found.control.reset()
    yield found
    if request.config.getini("aib_emulator_strict"):
        missed = [f"{fault['method']} {fault['path'] or '*'}: {fault['action']}" for fault in found.missed_faults()]
        assert not missed, f"Planned faults that struck no call: {', '.join(missed)}."


@pytest.fixture
def azure_environment(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Point Azure's clients and Airflow at the local Azure by environment variables, and return those."""
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    return azure.environment


@pytest.fixture
def airflow_connection(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give Airflow its connection to the local Azure, and return the connection's id."""
    monkeypatch.setenv(CONNECTION_VARIABLE, azure.environment[CONNECTION_VARIABLE])
    return CONNECTION_ID


def _settings(config: pytest.Config) -> EmulatorSettings:
    from aib_emulator.choices import ChoiceError, read_choices
    from aib_emulator.settings import EmulatorSettings, EmulatorSettingsError

    size = _number(config, "aib_emulator_vhd_size_mib", int) * MEBIBYTE
    has_retry_after = bool(config.getini("aib_emulator_retry_after"))
    try:
        return EmulatorSettings(
            time_scale=_number(config, "aib_emulator_time_scale", float),
            vhd_size_bytes=size,
            vhd_allocated_bytes=min(MEBIBYTE, size),
            retry_after=_number(config, "aib_emulator_retry_after", int) if has_retry_after else None,
            choices=read_choices(str(config.getini("aib_emulator_choices")).split()),
            log_form=str(config.getini("aib_emulator_log_form")),
        )
    except (ChoiceError, EmulatorSettingsError) as error:
        raise pytest.UsageError(
            f"An option aib_emulator_... of pytest's configuration cannot be used: {error}"
        ) from error


def _number(config: pytest.Config, name: str, kind: Callable[[Any], Any]) -> Any:
    value = config.getini(name)
    try:
        return kind(value)
    except ValueError as error:
        raise pytest.UsageError(f"{name} = {value!r} in pytest's configuration: write a number.") from error
