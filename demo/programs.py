"""Start programs, each in a session of its own, and end them with all that they have started."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from demo.waiting import DemoError, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SAME_START = 2.0  # seconds: a step of the system's clock moves the start time that it reports


@dataclass(frozen=True)
class Program:
    """Name one started program so that another process can find it again and never mistakes a stranger for it.

    :param name: what people call it.
    :param pid: its process id, which is also the id of its session.
    :param created: when it started, in seconds since 1970: a process id is used again, the pair is not.
    :param log_file: where its output goes.
    :param child: our handle on it, if this very process started it.
    """

    name: str
    pid: int
    created: float
    log_file: Path
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON data for the state file."""
        return {"name": self.name, "pid": self.pid, "created": self.created, "log_file": str(self.log_file)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Program:
        """Read it back from the state file."""
        return cls(data["name"], data["pid"], data["created"], Path(data["log_file"]))


def this_process() -> Program:
    """Return this very process as others may note it."""
    return Program("starter", os.getpid(), psutil.Process().create_time(), Path(os.devnull))


def start_program(name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log_file: Path) -> Program:
    """Start the command in its own session with exactly this environment and its output in the log file."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603  # the commands are this package's own
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Program(name, child.pid, psutil.Process(child.pid).create_time(), log_file, child)


def is_running(program: Program) -> bool:
    """Return whether the program itself (not only something that it left behind) is alive."""
    try:
        process = psutil.Process(program.pid)
        return _started_at(process, program.created) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def leftovers(programs: Iterable[Program]) -> list[psutil.Process]:
    """Return every living process of the programs' sessions, the programs themselves included.

    A session is the one bond that neither the death of the parent cuts nor a process group of its own, which Airflow
    gives to each task.
    """
    boot_time = psutil.boot_time()
    sessions = {program.pid: program.created for program in programs if program.created > boot_time - SAME_START}
    return [process for process in psutil.process_iter() if _belongs(process, sessions)]


def stop_programs(programs: Sequence[Program], *, grace: float) -> list[str]:
    """Send SIGTERM to each, after `grace` seconds SIGKILL to all that is left; return what had to be killed."""
    for program in programs:
        if is_running(program):
            _signal(psutil.Process(program.pid), signal.SIGTERM)
    if _all_gone(programs, seconds=grace):
        return []
    remaining = leftovers(programs)
    names = sorted({_name(process) for process in remaining})
    for process in remaining:
        _signal(process, signal.SIGKILL)
    if not _all_gone(programs, seconds=5):
        msg = f"these processes outlived SIGKILL: {leftovers(programs)}"
        raise DemoError(msg)
    return names


def tail(file: Path, lines: int) -> list[str]:
    """Return the last lines of a log file; none if it does not exist."""
    if not file.exists():
        return []
    return file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]


def _belongs(process: psutil.Process, sessions: Mapping[int, float]) -> bool:
    try:
        session = os.getsid(process.pid)
        if session not in sessions or process.status() == psutil.STATUS_ZOMBIE:
            return False
        # The leader's id may have been given to a stranger meanwhile: then its start time is another.
        return process.pid != session or _started_at(process, sessions[session])
    except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        return False


def _all_gone(programs: Sequence[Program], *, seconds: float) -> bool:
    try:
        wait_for(lambda: None if leftovers(programs) else True, seconds=seconds, what="the end of all programs")
    except DemoError:
        return False
    for program in programs:
        if program.child is not None:
            program.child.poll()  # it has ended: this collects its exit code, so that no zombie stays
    return True


def _started_at(process: psutil.Process, created: float) -> bool:
    return abs(process.create_time() - created) < SAME_START


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or str(process.name())
    except psutil.NoSuchProcess:
        return f"process {process.pid}"
