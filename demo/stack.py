"""The emulator and Airflow's four components as processes in one folder: started, waited for, and ended together."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from demo.airflow_api import AirflowApi
from demo.environment import (
    AirflowSecrets,
    Ports,
    airflow_environment,
    inherited_environment,
    with_portal,
    write_passwords,
)
from demo.programs import Program, is_running, start_program, stop_programs, tail, this_process
from demo.state import State, forget_state, read_state, write_state
from demo.waiting import DemoError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
EMULATOR = "emulator"
AIRFLOW_COMPONENTS = ("scheduler", "dag-processor", "triggerer")
# Seconds. Airflow's triggerer takes some ten for its farewell.
FAREWELL = 20


@dataclass(frozen=True)
class StackSettings:
    """Say what runs, and how fast.

    :param folder: everything that is written lies here; what an earlier stack left in it is ended and removed.
    :param dags_folder: the DAG files.
    :param time_scale: how many seconds of a build the emulator lets pass in one second.
    :param poll_interval: seconds between two looks of the provider at a build.
    :param vhd_size_mib: size of the VHDs that builds leave.
    :param with_emulator: whether to start the emulator, and to give Airflow the connection to it.
    :param scripts: where `aib-emulator` and `airflow` are.
    """

    folder: Path
    dags_folder: Path = ROOT / "dags"
    time_scale: float = 20.0
    poll_interval: float = 2.0
    vhd_size_mib: int = 2048
    with_emulator: bool = True
    scripts: Path = Path(sys.executable).parent


class Stack:
    """Run the emulator and Airflow; use it as a context manager, or call `start` and `stop`.

    :param settings: what runs, and where.
    :param show: told each step as it begins.
    """

    def __init__(self, settings: StackSettings, *, show: Callable[[str], None] = lambda _step: None) -> None:
        self.settings = settings
        self.emulator_environment: dict[str, str] = {}
        self._show = show
        self._ports = Ports.choose()
        self._keys = AirflowSecrets()
        self._programs: list[Program] = []
        self._airflow_environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def state(self) -> State:
        """What runs now, where, and how to sign in."""
        url = f"http://127.0.0.1:{self._ports.api}"
        return State(url, self._keys.user, self._keys.password, tuple(self._programs), this_process())

    def api(self) -> AirflowApi:
        """Return a client that signs in as the one user there is."""
        return AirflowApi(self.state.url, user=self._keys.user, password=self._keys.password)

    def start(self) -> None:
        """Start everything and wait until it is healthy; on any failure, Ctrl-C too, end what was started."""
        self._make_room()
        try:
            if self.settings.with_emulator:
                self._start_emulator()
            self._start_airflow(self._prepare_airflow())
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything that was started, Airflow before the emulator, and all that those have started themselves."""
        self._show("stopping what was started")
        _stop(self._programs)
        self._programs.clear()
        forget_state(self.settings.folder)

    def restart(self, component: str) -> None:
        """End one of Airflow's components as a deployment does, and start it again."""
        (program,) = [program for program in self._programs if program.name == component]
        stop_programs([program], grace=FAREWELL)
        self._programs.remove(program)
        self._run(component, [str(self.settings.scripts / "airflow"), component], self._airflow_environment)

    def _make_room(self) -> None:
        self._show(f"making room in {self.settings.folder}")
        earlier = read_state(self.settings.folder)
        if earlier is not None and is_running(earlier.starter):
            raise DemoError(
                f"process {earlier.starter.pid} is at work in {self.settings.folder}: wait for it, or end it"
            )
        stop_leftovers(self.settings.folder)
        shutil.rmtree(self.settings.folder, ignore_errors=True)
        self.settings.folder.mkdir(parents=True)

    def _start_emulator(self) -> None:
        self._show("starting the emulator and Azurite")
        file = self.settings.folder / "emulator.json"
        command = [str(self.settings.scripts / "aib-emulator"), "--port", "0", "--time-scale"]
        command += [str(self.settings.time_scale), "--data", str(self.settings.folder / "emulator")]
        command += ["--vhd-size-mib", str(self.settings.vhd_size_mib), "--env-file", str(file), "--env-format", "json"]
        self._run(EMULATOR, command, inherited_environment(os.environ))  # noqa: TID251  # what children may inherit
        self.emulator_environment = wait_for(
            lambda: self._unless_dead(_read_json(file)), seconds=60, what="the emulator to listen"
        )

    def _prepare_airflow(self) -> dict[str, str]:
        """Create Airflow's home and database, and return the environment of its processes."""
        self._show("creating Airflow's database")
        home = self.settings.folder / "airflow"
        home.mkdir()
        write_passwords(home, self._keys)
        own = airflow_environment(
            home,
            dags_folder=self.settings.dags_folder,
            ports=self._ports,
            keys=self._keys,
            poll_interval=self.settings.poll_interval,
        )
        inherited = inherited_environment(os.environ)  # noqa: TID251  # what children may inherit
        environment = {**inherited, **with_portal(self.emulator_environment), **own}
        self._run_to_its_end("db-migrate", [str(self.settings.scripts / "airflow"), "db", "migrate"], environment)
        return environment

    def _start_airflow(self, environment: dict[str, str]) -> None:
        self._airflow_environment = environment
        airflow = str(self.settings.scripts / "airflow")
        server = [airflow, "api-server", "--host", "127.0.0.1", "--port", str(self._ports.api)]
        self._run("api-server", server, environment)
        for component in AIRFLOW_COMPONENTS:
            self._run(component, [airflow, component], environment)

    def _wait_until_healthy(self) -> None:
        with self.api() as api:

            def look() -> bool | None:
                missing = self._unless_dead(api.unhealthy())
                self._show(f"waiting for Airflow: {', '.join(missing)}" if missing else "Airflow is healthy")
                return None if missing else True

            wait_for(look, seconds=120, what="Airflow's components to be healthy", interval=0.5)

    def _run(self, name: str, command: list[str], environment: dict[str, str]) -> Program:
        log_file = self.settings.folder / "logs" / f"{name}.log"
        program = start_program(name, command, env=environment, cwd=self.settings.folder, log_file=log_file)
        self._programs.append(program)
        # At once: should this process be killed in the next moment, `down` still finds the program.
        write_state(self.settings.folder, self.state)
        return program

    def _run_to_its_end(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        program = self._run(name, command, environment)
        child = program.child
        if child is None or wait_for(child.poll, seconds=180, what=f"the end of {name}") != 0:
            raise DemoError(_end_of(program))
        self._programs.remove(program)

    def _unless_dead(self, value: T) -> T:
        """Return the value, unless a program has ended by itself: then waiting any longer is in vain."""
        for program in self._programs:
            if not is_running(program):
                raise DemoError(_end_of(program))
        return value


def stop_leftovers(folder: Path) -> State | None:
    """End what an earlier process started in the folder and left running; return what that was, None if nothing."""
    state = read_state(folder)
    if state is not None:
        _stop(state.programs)
        forget_state(folder)
    return state


def _stop(programs: list[Program] | tuple[Program, ...]) -> None:
    # The triggerer has nothing to lose by then.
    stop_programs([program for program in programs if program.name != EMULATOR], grace=10)
    stop_programs([program for program in programs if program.name == EMULATOR], grace=8)


def _end_of(program: Program) -> str:
    last_lines = "\n".join(tail(program.log_file, 30))
    return f"{program.name} ended by itself; the last lines of {program.log_file}:\n{last_lines}"


def _read_json(file: Path) -> dict[str, str] | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
