"""The command line: `aib-emulator` serves, `aib-emulator install-azurite` prepares, `openapi` describes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aib_emulator.azurite_install import AzuriteInstallError, azurite_folder, azurite_program, install
from aib_emulator.choices import ChoiceError, read_choices
from aib_emulator.env_file import earlier_taken_away, write_env_file
from aib_emulator.settings import (
    FASTEST,
    HIGHEST_PORT,
    LARGEST_VHD_BYTES,
    LOG_FORMS,
    MEBIBYTE,
    EmulatorSettings,
    EmulatorSettingsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aib_emulator.app import Emulator


def main(arguments: list[str] | None = None) -> int:
    """Run the command that `arguments` name, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "install-azurite":
            return _install_azurite()
        if options.command == "openapi":
            return _describe()
        with earlier_taken_away(options.env_file):
            return _serve(options)
    except (AzuriteInstallError, ChoiceError, EmulatorSettingsError, OSError) as error:
        print(f"aib-emulator: {error}", file=sys.stderr)  # noqa: T201 - the command's own answer
        return 1


def _parser() -> argparse.ArgumentParser:
    usual = EmulatorSettings()
    parser = argparse.ArgumentParser(
        prog="aib-emulator",
        description="A local Azure for image builds, over TLS on loopback. Ends at SIGTERM or Ctrl-C.",
    )
    parser.add_argument("--port", type=_port, default=0, help="of Resource Manager and Entra; 0 takes a free one")
    parser.add_argument("--blob-port", type=_port, default=0, help="of the blob endpoint; 0 takes a free one")
    parser.add_argument("--env-file", type=_file, help="where to write the variables for clients, once it is up")
    parser.add_argument("--env-format", choices=("sh", "json"), default="sh", help="form of that file (%(default)s)")
    parser.add_argument(
        "--time-scale", type=_scale, help="emulated seconds per second (1, or as before in a folder with state)"
    )
    parser.add_argument(
        "--data", type=Path, help="folder that keeps everything from one start to the next; else nothing is kept"
    )
    parser.add_argument(
        "--retry-after", type=_from(0, "seconds"), help="seconds to send as Retry-After; Azure was seen to send none"
    )
    parser.add_argument(
        "--vhd-size-mib",
        type=_from(1, "MiB", LARGEST_VHD_BYTES // MEBIBYTE),
        default=usual.vhd_size_bytes // MEBIBYTE,
        help="size of built VHDs (%(default)s)",
    )
    parser.add_argument(
        "--list-page-size",
        type=_from(1, "resources"),
        default=usual.list_page_size,
        help="resources on one page of a list (%(default)s)",
    )
    parser.add_argument(
        "--missing-rights-fail",
        choices=("creation", "run"),
        default=usual.missing_rights_fail,
        help="what fails when an image template's identity lacks a right (%(default)s)",
    )
    parser.add_argument(
        "--trigger-failure-limit",
        type=_from(1, "failed runs"),
        default=usual.trigger_failure_limit,
        help="failed runs in a row after which triggers start none (%(default)s)",
    )
    parser.add_argument(
        "--choice",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an answer that nobody knows of the service; may be repeated; the documentation lists them",
    )
    parser.add_argument("--log-form", choices=LOG_FORMS, default=usual.log_form, help="of build logs (%(default)s)")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    commands.add_parser("install-azurite", help="install the pinned Azurite into this Python environment")
    commands.add_parser("openapi", help="write the OpenAPI document of what is served")
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use a number from 0, for a free one, to {HIGHEST_PORT}")
    return int(text)


def _from(least: int, unit: str, most: int | None = None) -> Callable[[str], int]:
    """Make the reader of a whole number."""
    bounds = f"{least} or more" if most is None else f"{least} or more, and at most {most}"

    def read(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= (int(text) if most is None else most)):
            raise argparse.ArgumentTypeError(f"{text!r}: use a whole number of {unit}, {bounds}")
        return int(text)

    return read


def _scale(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) <= FASTEST:
            return float(text)
    raise argparse.ArgumentTypeError(
        f"{text!r}: use a number of emulated seconds per second, above 0 and at most {FASTEST:.0f}"
    )


def _file(text: str) -> Path:
    file = Path(text)
    if not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{file.parent} is no folder: make it first, or name a file elsewhere")
    if file.is_dir():
        raise argparse.ArgumentTypeError(f"{file} is a folder: name a file in it")
    return file


def _settings(options: argparse.Namespace) -> EmulatorSettings:
    usual = EmulatorSettings()
    size = options.vhd_size_mib * MEBIBYTE
    return EmulatorSettings(
        arm_port=options.port,
        blob_port=options.blob_port,
        data_dir=None if options.data is None else options.data.absolute(),
        time_scale=options.time_scale,
        retry_after=options.retry_after,
        vhd_size_bytes=size,
        vhd_allocated_bytes=min(usual.vhd_allocated_bytes, size),
        list_page_size=options.list_page_size,
        missing_rights_fail=options.missing_rights_fail,
        trigger_failure_limit=options.trigger_failure_limit,
        choices=read_choices(options.choice),
        log_form=options.log_form,
    )


def _serve(options: argparse.Namespace) -> int:
    from aib_emulator.app import Emulator

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    azurite_program()
    emulator = Emulator(_settings(options))

    def tell() -> None:
        if options.env_file is not None:
            write_env_file(options.env_file, emulator.environment(), options.env_format)
        where = f", variables for clients in {options.env_file}" if options.env_file is not None else ""
        print(f"Up: {emulator.arm_url}, blobs {emulator.blob_url}{where}", flush=True)  # noqa: T201 - as above

    asyncio.run(_serve_until_signal(emulator, tell))
    return 0


async def _serve_until_signal(emulator: Emulator, when_ready: Callable[[], None]) -> None:
    """Start `emulator`, call `when_ready`, and stop it at SIGTERM or SIGINT."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    starting = asyncio.create_task(emulator.start())
    ended = asyncio.create_task(ending.wait())
    try:
        await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return
        await starting
        when_ready()
        await ended
    finally:
        ended.cancel()
        await emulator.stop()


def _describe() -> int:
    """Start an emulator for a moment, and write what it says of itself."""
    from aib_emulator.app import Emulator

    async def described() -> dict[str, object]:
        emulator = Emulator(EmulatorSettings())
        await emulator.start()
        try:
            return emulator.description()
        finally:
            await emulator.stop()

    print(json.dumps(asyncio.run(described()), indent=2))  # noqa: T201 - the command's own answer
    return 0


def _install_azurite() -> int:
    folder = azurite_folder()
    is_new = install(folder)
    print(f"Azurite {'is installed' if is_new else 'was installed already'}: {folder}")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
