"""The command line behind `make demo`, `make up` and `make down`."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from demo.blobs import blob_reader
from demo.programs import is_running
from demo.progress import Progress
from demo.rebuild import run_rebuild
from demo.report import RebuildReport, format_report
from demo.stack import ROOT, Stack, StackSettings, stop_leftovers
from demo.state import State, read_state
from demo.waiting import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

DEMO_FOLDER = ROOT / ".local" / "demo"
UP_FOLDER = ROOT / ".local" / "up"
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REBUILD_BOUND = 300.0  # seconds; the rebuild takes about one minute


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with every_end_is_ctrl_c():
            return _carry_out(options.command, options.folder)
    except DemoError as error:
        _say(f"\nfailed: {error}")
        return 1
    except KeyboardInterrupt:
        _say("\ninterrupted; what was started has been stopped")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (purpose, folder) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose)
        command.add_argument("--folder", type=Path, default=folder, help="where everything lies (%(default)s)")
    return parser


COMMANDS = {
    "run": ("rebuild an image once, report, and stop everything", DEMO_FOLDER),
    "up": ("rebuild an image once, report, and leave everything running", UP_FOLDER),
    "down": ("end what runs in the folder", UP_FOLDER),
    "status": ("tell what runs in the folder; the exit code is 0 if all of it does", UP_FOLDER),
}


def _carry_out(command: str, folder: Path) -> int:
    if command == "run":
        return _run(folder)
    if command == "up":
        return _up(folder)
    return _down(folder) if command == "down" else _status(folder)


def _run(folder: Path) -> int:
    progress = _progress()
    with Stack(StackSettings(folder), show=progress.show) as stack:
        report = _rebuild(stack, progress)
        _say(f"Airflow's UI was at {stack.state.url}; `make up` leaves it running. Logs are in {folder / 'logs'}.")
    progress.end()
    return _exit_code(report)


def _up(folder: Path) -> int:
    state = read_state(folder)
    if state is not None and all(is_running(program) for program in state.programs):
        _say(f"It is running already.\n{_how_to_sign_in(state)}")
        return 0
    progress = _progress()
    stack = Stack(StackSettings(folder), show=progress.show)
    stack.start()
    try:
        report = _rebuild(stack, progress)
    except BaseException:
        stack.stop()
        raise
    _say(_how_to_sign_in(stack.state))
    return _exit_code(report)


def _down(folder: Path) -> int:
    state = stop_leftovers(folder)
    if state is None:
        _say(f"nothing is running in {folder}")
    else:
        _say(f"stopped {', '.join(program.name for program in state.programs)}")
    return 0


def _status(folder: Path) -> int:
    state = read_state(folder)
    if state is None:
        _say(f"nothing is running in {folder}")
        return 1
    for program in state.programs:
        _say(f"{program.name:<14} {'running' if is_running(program) else 'ended'}, log {program.log_file}")
    _say(_how_to_sign_in(state))
    return 0 if all(is_running(program) for program in state.programs) else 1


def _progress() -> Progress:
    return Progress(sys.stderr, width=shutil.get_terminal_size().columns)


def _rebuild(stack: Stack, progress: Progress) -> RebuildReport:
    with stack.api() as api:
        read_text = blob_reader(stack.emulator_environment)
        report = run_rebuild(api, show=progress.show, read_text=read_text, seconds=REBUILD_BOUND)
    progress.end()
    _say(format_report(report) + "\n")
    return report


def _exit_code(report: RebuildReport) -> int:
    return 0 if report.has_succeeded else 1


def _how_to_sign_in(state: State) -> str:
    return f"Airflow is at {state.url}\nSign in as {state.user} with password {state.password}\n`make down` ends it."


@contextmanager
def every_end_is_ctrl_c() -> Iterator[None]:
    """Treat being asked to end, or losing the terminal, like Ctrl-C: everything that was started is stopped.

    Only the first counts: stopping takes a bounded time, and an impatient second one must not leave half behind.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    usual = {number: signal.signal(number, interrupt) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
