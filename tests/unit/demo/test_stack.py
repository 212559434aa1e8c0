from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from demo.environment import inherited_environment
from demo.programs import leftovers
from demo.stack import ROOT, Stack, StackSettings, stop_leftovers
from demo.state import State, read_state
from demo.waiting import DemoError, wait_for

if TYPE_CHECKING:
    from pathlib import Path

# An emulator that says at once where it listens, and an Airflow that never gets its database ready.
EMULATOR = """#!{python}
import json, os, sys, time
file = sys.argv[sys.argv.index("--env-file") + 1]
with open(file + ".new", "w") as draft:
    json.dump({{"AIB_EMULATOR_ARM": "https://127.0.0.1:1"}}, draft)
os.rename(file + ".new", file)
time.sleep(600)
"""
SLOW_AIRFLOW = "#!{python}\nimport time\ntime.sleep(600)\n"
FAILING = "#!{python}\nimport sys\nsys.exit('no room for a database')\n"


def settings(folder: Path, *, emulator: str = EMULATOR, airflow: str = SLOW_AIRFLOW) -> StackSettings:
    """Return the settings of a stack whose programs are these scripts."""
    scripts = folder / "scripts"
    scripts.mkdir()
    for name, text in {"aib-emulator": emulator, "airflow": airflow}.items():
        (scripts / name).write_text(text.format(python=sys.executable))
        (scripts / name).chmod(0o755)
    return StackSettings(folder / "stack", dags_folder=folder, scripts=scripts)


def started_by_another_process(chosen: StackSettings) -> tuple[subprocess.Popen[bytes], State]:
    """Start a stack in another process; return that process, and what it has noted of two programs."""
    script = (
        "import signal, sys; from pathlib import Path; from demo.stack import Stack, StackSettings; "
        # Tests that run in the background inherit a SIGINT that is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "folder, dags, scripts = map(Path, sys.argv[1:]); "
        "Stack(StackSettings(folder, dags_folder=dags, scripts=scripts)).start()"
    )
    paths = [str(chosen.folder), str(chosen.dags_folder), str(chosen.scripts)]
    starter = subprocess.Popen(
        [sys.executable, "-c", script, *paths],
        cwd=ROOT,
        env=inherited_environment(os.environ),
        stderr=subprocess.DEVNULL,
    )

    def look() -> State | None:
        state = read_state(chosen.folder)
        return state if state is not None and len(state.programs) == 2 else None

    return starter, wait_for(look, seconds=60, what="two programs")


def test_a_program_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    """Nobody waits for a minute for an emulator that has said why it cannot run."""
    with pytest.raises(DemoError, match=r"emulator ended by itself; [^\n]*\nno room for a database"):
        Stack(settings(tmp_path, emulator=FAILING)).start()


def test_a_failed_start_leaves_nothing_running(tmp_path: Path) -> None:
    """When Airflow's database cannot be made, the emulator that runs already is ended."""
    seen: list[State] = []
    stack = Stack(settings(tmp_path, airflow=FAILING), show=lambda _step: seen.append(stack.state))
    with pytest.raises(DemoError, match="db-migrate ended by itself"):
        stack.start()

    assert [program.name for program in seen[-1].programs] == ["emulator", "db-migrate"]
    assert leftovers(seen[-1].programs) == []
    assert read_state(tmp_path / "stack") is None


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    """An interrupted start ends what it has started."""
    starter, state = started_by_another_process(settings(tmp_path))
    starter.send_signal(signal.SIGINT)
    starter.wait(timeout=60)

    assert leftovers(state.programs) == []


def test_what_a_killed_starter_has_left_is_found_and_ended(tmp_path: Path) -> None:
    """The note that is written at each start is enough to clean up after a `kill -9`."""
    chosen = settings(tmp_path)
    starter, state = started_by_another_process(chosen)
    starter.kill()
    starter.wait(timeout=60)
    assert len(leftovers(state.programs)) == 2

    assert stop_leftovers(chosen.folder) == state
    assert leftovers(state.programs) == []
    assert stop_leftovers(chosen.folder) is None


def test_a_folder_in_which_somebody_is_at_work_is_left_alone(tmp_path: Path) -> None:
    """A second demo in the same folder says so, and does not end the first."""
    chosen = settings(tmp_path)
    starter, state = started_by_another_process(chosen)
    try:
        with pytest.raises(DemoError, match=f"process {starter.pid} is at work in"):
            Stack(chosen).start()

        assert read_state(chosen.folder) == state
        assert len(leftovers(state.programs)) == 2
    finally:
        starter.terminate()
        starter.wait(timeout=60)
        stop_leftovers(chosen.folder)


def test_airflow_is_given_what_the_emulator_hands_out(tmp_path: Path) -> None:
    """The emulator's variables reach Airflow, and Airflow's own are not lost to them."""
    report = tmp_path / "environment.json"
    airflow = (
        "#!{python}\nimport json, os\njson.dump(dict(os.environ), open("
        + repr(str(report))
        + ", 'w'))\nraise SystemExit(1)\n"
    )
    with pytest.raises(DemoError):
        Stack(settings(tmp_path, airflow=airflow)).start()
    environment = json.loads(report.read_text())

    assert environment["AIB_EMULATOR_ARM"] == "https://127.0.0.1:1"
    assert environment["AIRFLOW_HOME"] == str(tmp_path / "stack" / "airflow")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_of_ending_the_command_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a lost terminal all stop what was started, and a second Ctrl-C changes nothing."""
    folder = tmp_path / "stack"
    command = subprocess.Popen(
        [sys.executable, "-m", "demo", "run", "--folder", str(folder)],
        cwd=ROOT,
        env=inherited_environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    state = wait_for(lambda: read_state(folder), seconds=60, what="the first program")
    command.send_signal(number)
    command.send_signal(signal.SIGINT)
    told, _ = command.communicate(timeout=60)

    assert command.returncode == 130
    assert "what was started has been stopped" in told
    assert leftovers(state.programs) == []
    assert read_state(folder) is None
