from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from aib_emulator.__main__ import _parser, _settings, main
from aib_emulator.app import Emulator
from aib_emulator.blob_front.page_limits import LARGEST_PAGE_BLOB
from aib_emulator.listening import PortTakenError, listen
from aib_emulator.settings import EmulatorSettings, EmulatorSettingsError

if TYPE_CHECKING:
    from pathlib import Path

EVERYWHERE = "0.0.0.0"  # noqa: S104 - to see that nobody can ask for it


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_scale": 0},
        {"time_scale": float("inf")},
        {"vhd_size_bytes": 1000},
        {"vhd_size_bytes": 0},
        {"vhd_size_bytes": LARGEST_PAGE_BLOB},
        {"trigger_failure_limit": 0},
        {"triggers_in_a_region": 0},
        {"list_page_size": 0},
        {"retry_after": -3},
        {"arm_port": 70000},
        {"blob_port": -1},
        {"missing_rights_fail": "never"},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    """A clock that stands still from the start, or flies, half a sector, or a word that means nothing is refused."""
    with pytest.raises(EmulatorSettingsError):
        EmulatorSettings(**wrong)  # type: ignore[arg-type] # wrong on purpose


def test_options_reach_the_settings() -> None:
    """What the command line says about rights, triggers and lists is what the emulator is told."""
    options = ["--missing-rights-fail", "run", "--trigger-failure-limit", "5", "--list-page-size", "2"]
    told = _settings(_parser().parse_args(options))
    assert (told.missing_rights_fail, told.trigger_failure_limit, told.list_page_size) == ("run", 5, 2)


def test_the_secret_is_not_shown() -> None:
    """The text of the settings does not hold the secret."""
    settings = EmulatorSettings()
    assert settings.client_secret not in repr(settings)


@pytest.mark.parametrize("option", ["--host", "--bind", "--address"])
def test_nobody_can_ask_for_another_address(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no option to listen on anything but loopback, and no setting either."""
    with pytest.raises(SystemExit):
        _parser().parse_args([f"{option}={EVERYWHERE}"])
    assert option in capsys.readouterr().err
    with pytest.raises(TypeError, match=option.strip("-")):
        EmulatorSettings(**{option.strip("-"): EVERYWHERE})  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize("option", ["--port", "--blob-port"])
@pytest.mark.parametrize("wrong", ["70000", "65536", "-1", "http"])
def test_a_port_that_cannot_be(option: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number beyond all ports, or a word, is refused where it is read, with the numbers that can be."""
    with pytest.raises(SystemExit):
        _parser().parse_args([f"{option}={wrong}"])
    said = capsys.readouterr().err
    assert f"argument {option}: '{wrong}' is no port: use a number from 0, for a free one, to 65535" in said


@pytest.mark.parametrize(
    ("option", "wrong", "expected"),
    [
        ("--retry-after", "-3", "seconds, 0 or more"),
        ("--vhd-size-mib", "0", "MiB, 1 or more"),
        ("--vhd-size-mib", "1.5", "MiB, 1 or more"),
        ("--vhd-size-mib", "8388608", "MiB, 1 or more, and at most 8388607"),
        ("--list-page-size", "0", "resources, 1 or more"),
        ("--trigger-failure-limit", "x", "failed runs, 1 or more"),
        ("--time-scale", "0", "above 0 and at most 1000000"),
        ("--time-scale", "nan", "above 0 and at most 1000000"),
        ("--time-scale", "fast", "above 0 and at most 1000000"),
    ],
)
def test_a_number_that_cannot_be(option: str, wrong: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number is refused in the words of its option: by name, with its unit and the numbers that can be."""
    with pytest.raises(SystemExit):
        _parser().parse_args([f"{option}={wrong}"])
    said = capsys.readouterr().err
    assert f"argument {option}: '{wrong}': use a" in said
    assert expected in said


def test_the_least_numbers_can_be() -> None:
    """No pause, the smallest VHD, one resource on a page: all of them are taken."""
    told = _settings(_parser().parse_args(["--retry-after", "0", "--vhd-size-mib", "1", "--list-page-size", "1"]))
    assert (told.retry_after, told.vhd_size_bytes, told.list_page_size) == (0, 1024 * 1024, 1)


def test_variables_of_an_earlier_start_are_taken_away_at_first(tmp_path: Path) -> None:
    """The file of --env-file goes before anything starts; where nothing does it is written anew, as it was."""
    env_file, known = tmp_path / "emulator.env", tmp_path / "known"
    env_file.write_text("export AIB_EMULATOR_ARM=https://localhost:1\n")
    known.hardlink_to(env_file)
    assert main(["--env-file", str(env_file), "--choice", "nothing=starts"]) == 1
    assert (env_file.samefile(known), env_file.read_text()) == (False, known.read_text())


@pytest.mark.parametrize(("below", "expected"), [("absent/x.env", "make it first"), ("", "name a file in it")])
def test_the_variables_need_a_folder_that_is_there(
    tmp_path: Path, below: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt folder of --env-file is refused before anything starts, and not made."""
    with pytest.raises(SystemExit):
        _parser().parse_args(["--env-file", str(tmp_path / below)])
    said = capsys.readouterr().err
    assert "argument --env-file: " in said
    assert expected in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "more"])
def test_a_file_in_the_place_of_the_data_folder(tmp_path: Path, below: str) -> None:
    """What is kept needs a folder; a file there, or above it, is told with the option's name."""
    file = tmp_path / "data"
    file.touch()
    emulator = Emulator(EmulatorSettings(data_dir=file / below))
    with pytest.raises(NotADirectoryError, match="--data must be a folder"):
        asyncio.run(emulator.start())


@pytest.mark.parametrize("option", ["--port", "--blob-port"])
def test_a_taken_port(option: str) -> None:
    """Whoever asks for a port that somebody has hears which option to change, and to what."""

    async def start(port: int) -> None:
        runner = web.AppRunner(web.Application())
        await runner.setup()
        try:
            await listen(web.TCPSite(runner, "127.0.0.1", port), port, option)
        finally:
            await runner.cleanup()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError) as refused:
            asyncio.run(start(port))
    assert str(refused.value).startswith(f"Port {port} ({option}) is taken. Give another one: 0 takes a free one")
