from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from demo.environment import inherited_environment
from demo.programs import Program, is_running, leftovers, start_program, stop_programs, tail
from demo.waiting import wait_for

FAMILY = """
import os, signal, subprocess, sys
deaf, report = sys.argv[1] == "deaf", sys.argv[2]
if deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
with open(report + ".new", "w") as file:
    file.write(str(child.pid))
os.rename(report + ".new", report)
child.wait()
"""


def start_family(folder: Path, *, deaf: bool = False) -> tuple[Program, psutil.Process]:
    """Start a program that starts a child in a process group of its own, as Airflow does with a task."""
    report = folder / "child"
    command = [sys.executable, "-c", FAMILY, "deaf" if deaf else "obedient", str(report)]
    program = start_program(
        "family", command, env=inherited_environment(os.environ), cwd=folder, log_file=folder / "logs" / "family.log"
    )
    pid = wait_for(lambda: report.read_text() if report.exists() else None, seconds=30, what="the child")
    return program, psutil.Process(int(pid))


def has_ended(process: psutil.Process) -> bool:
    """Return whether it is over; until its new parent has collected it, an orphan lingers as a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_program_leads_a_session_of_its_own(tmp_path: Path) -> None:
    """Ctrl-C in the terminal reaches only us: the program is in another session."""
    program, _ = start_family(tmp_path)

    assert os.getsid(program.pid) == program.pid != os.getsid(0)
    stop_programs([program], grace=0)


def test_sigterm_ends_an_obedient_program(tmp_path: Path) -> None:
    """A program that heeds SIGTERM is not killed."""
    program = start_program(
        "sleeper",
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env=inherited_environment(os.environ),
        cwd=tmp_path,
        log_file=tmp_path / "log",
    )
    assert is_running(program)

    assert stop_programs([program], grace=30) == []
    assert not is_running(program)


def test_an_orphan_in_its_own_process_group_is_ended_too(tmp_path: Path) -> None:
    """What outlives the program that started it is found by its session, and killed after the grace."""
    program, child = start_family(tmp_path)

    killed = stop_programs([program], grace=1)

    assert any("time.sleep(600)" in name for name in killed)
    assert has_ended(child)


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """After the grace nothing that was started is left."""
    program, child = start_family(tmp_path, deaf=True)

    assert stop_programs([program], grace=0.5)
    assert leftovers([program]) == []
    assert has_ended(child)


def test_another_process_finds_and_ends_it_by_the_note(tmp_path: Path) -> None:
    """A program that was noted down as JSON can be ended by a process that did not start it."""
    program, _ = start_family(tmp_path)
    noted = Program.from_json(json.loads(json.dumps(program.to_json())))

    assert is_running(noted)
    stop_programs([noted], grace=0.5)
    assert not is_running(program)


def test_a_stranger_with_the_same_process_id_is_left_alone() -> None:
    """A process id alone is no identity: this very process, noted with another start time, is no leftover."""
    stranger = Program("stranger", os.getpid(), psutil.Process().create_time() - 100, Path("log"))

    assert not is_running(stranger)
    assert os.getpid() not in [process.pid for process in leftovers([stranger])]


def test_programs_from_before_the_last_boot_are_gone() -> None:
    """After a reboot process ids start anew: nothing that was noted before can be ours."""
    ours = Program("ours", os.getsid(0), 0.0, Path("log"))

    assert leftovers([replace(ours, created=psutil.boot_time() - 3600)]) == []


def test_the_exit_leaves_no_zombie(tmp_path: Path) -> None:
    """The exit code of our own child is collected."""
    program, _ = start_family(tmp_path)
    stop_programs([program], grace=0.5)

    assert program.child is not None
    assert program.child.returncode is not None


def test_the_output_goes_to_the_log_file(tmp_path: Path) -> None:
    """Standard output and standard error land in one file, of which the tail is read."""
    script = "import sys; print('one'); print('two', file=sys.stderr, flush=True); print('three')"
    program = start_program(
        "talker",
        [sys.executable, "-u", "-c", script],
        env=inherited_environment(os.environ),
        cwd=tmp_path,
        log_file=tmp_path / "logs" / "talker.log",
    )
    assert isinstance(program.child, subprocess.Popen)
    program.child.wait(timeout=30)

    assert tail(program.log_file, 2) == ["two", "three"]


def test_a_missing_log_has_no_tail(tmp_path: Path) -> None:
    """A program that never wrote its log file has no last lines."""
    assert tail(tmp_path / "absent.log", 5) == []


@pytest.mark.parametrize("name", ["AIRFLOW_HOME", "AZURE_CLIENT_SECRET", "PYTHONPATH", "https_proxy"])
def test_the_program_gets_exactly_the_environment_it_is_given(tmp_path: Path, name: str) -> None:
    """A variable of ours does not reach the program unless it is handed over."""
    probe = "import os, sys; print(os.environ.get(sys.argv[1], 'absent'))"
    inherited = inherited_environment({**os.environ, name: "leaked"})
    program = start_program(
        "probe", [sys.executable, "-c", probe, name], env=inherited, cwd=tmp_path, log_file=tmp_path / "log"
    )
    assert program.child is not None
    program.child.wait(timeout=30)

    assert tail(program.log_file, 1) == ["absent"]
