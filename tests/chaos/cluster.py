"""An Airflow of many processes on one machine: started, killed in part, started again, and ended altogether."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from demo.airflow_api import AirflowApi
from demo.environment import inherited_environment, write_passwords
from demo.programs import Program, is_running, leftovers, start_program, stop_programs, tail, this_process
from demo.stack import stop_leftovers
from demo.state import State, forget_state, write_state
from demo.waiting import DemoError, wait_for
from tests.chaos.databases import POSTGRES, REDIS, Database, Services, redis_command
from tests.chaos.settings import ChaosSecrets, Ports, airflow_environment, commands, own_variables

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = "emulator"
VHD_MIB = 4
DATABASES = (POSTGRES, REDIS)
FAST_STOP = {POSTGRES: "INT"}
"""How a program is told to end in a hurry, where that is not SIGTERM."""
CUT = """
select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class ClusterSettings:
    """Say what runs, and where.

    :param folder: everything that is written lies here; what an earlier cluster left in it is ended and removed.
    :param services: where PostgreSQL and Redis are unpacked.
    :param airflow: the program of an environment that has Celery and PostgreSQL's client.
    :param emulator: the program `aib-emulator`.
    :param time_scale: how many seconds of a build the emulator lets pass in one second.
    """

    folder: Path
    services: Path
    airflow: Path
    emulator: Path
    time_scale: float = 15.0


class Cluster:
    """Run the whole; use it as a context manager.

    :param settings: what runs, and where.
    :param show: told each step as it begins.
    """

    def __init__(self, settings: ClusterSettings, *, show: Callable[[str], None]) -> None:
        self.settings = settings
        self.keys = ChaosSecrets(user="chaos")
        self.ports = Ports.choose()
        self.emulator_environment: dict[str, str] = {}
        self._inherited = inherited_environment(os.environ)
        # Nobody may pass through root's folders: then PostgreSQL has a place of its own.
        own = hashlib.sha256(str(settings.folder).encode()).hexdigest()[:12]
        self._open_folder = Path(tempfile.gettempdir()) / f"aib-chaos-{own}"
        services = Services(self._open_folder / "services", self._inherited)
        self.database = Database(services, self._open_folder / "database", self.ports.postgres, self.keys.database)
        self._show = show
        self._running: dict[str, Program] = {}
        self._former: list[Program] = []
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def log_folder(self) -> Path:
        """Where each program's output goes; the logs of tasks are Airflow's."""
        return self.settings.folder / "logs"

    def api(self) -> AirflowApi:
        """Return a client that signs in as the one user there is."""
        return AirflowApi(self._url, user=self.keys.user, password=self.keys.password)

    def secrets(self) -> dict[str, str]:
        """Return what must not stand in any log, by what people call it."""
        return {**self.keys.named(), "secret of the connection": self.emulator_environment["AZURE_CLIENT_SECRET"]}

    def start(self) -> None:
        """Start everything and wait until it is healthy."""
        self._make_room()
        self._show("starting PostgreSQL, Redis and the emulator")
        self._start_databases()
        self._start_emulator()
        self._show("creating Airflow's database")
        self._environment = self._prepare_airflow()
        self._show("starting Airflow")
        for name in self._commands:
            self.revive(name)
        with self.api() as api:
            wait_for(lambda: None if api.unhealthy() else True, seconds=180, what="a healthy Airflow", interval=1)

    def stop(self) -> None:
        """End everything that was started, the emulator and the databases last."""
        self._show("stopping what was started")
        last = [self._running.pop(name) for name in (EMULATOR, *DATABASES) if name in self._running]
        stop_programs([*self._running.values(), *self._former], grace=3)
        stop_programs(last, grace=8)
        self._running.clear()
        forget_state(self.settings.folder)
        shutil.rmtree(self._open_folder, ignore_errors=True)

    def kill(self, name: str, *, takes_all: bool) -> None:
        """Kill a program with SIGKILL; with `takes_all` also whatever it has started."""
        program = self._running.pop(name)
        self._former.append(program)
        victims = leftovers([program]) if takes_all else [psutil.Process(program.pid)]
        for process in victims:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)

    def revive(self, name: str) -> None:
        """Start a program, once all is gone that its predecessor has left: as a service manager does."""
        former = [program for program in self._former if program.name == name]
        stop_programs(former, grace=0)
        self._former = [program for program in self._former if program.name != name]
        own = {"CHAOS_PROGRAM": name, **own_variables(name, self.ports)}
        self._run(name, self._commands[name], {**self._environment, **own})

    def ended_by_themselves(self) -> list[str]:
        """Return which programs have ended though nobody has killed them, and forget them: they want reviving."""
        ended = [name for name, program in self._running.items() if not is_running(program)]
        for name in ended:
            if name in (EMULATOR, *DATABASES):
                raise DemoError(f"{name} has ended: {tail(self._running[name].log_file, 20)}")
            self._former.append(self._running.pop(name))
        return ended

    def cut_connections(self) -> int:
        """End every connection to the database, and return how many there were."""
        return len(self.database.ask(CUT, base="postgres"))

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def _commands(self) -> dict[str, list[str]]:
        return commands(str(self.settings.airflow), self.ports)

    def _make_room(self) -> None:
        stop_leftovers(self.settings.folder)
        for folder in (self.settings.folder, self._open_folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self._open_folder.chmod(0o755)
        shutil.copytree(self.settings.services, self._open_folder / "services", symlinks=True)

    def _start_databases(self) -> None:
        services = self.database.services
        self.database.create()
        self._run(POSTGRES, self.database.command(), services.environment(), cwd=Path("/"))
        command = redis_command(services, self.ports.redis, self.keys.broker)
        self._run(REDIS, command, services.environment(), cwd=self.settings.folder)
        wait_for(self.database.is_up, seconds=30, what="PostgreSQL to answer")
        self.database.ask("create database airflow", base="postgres")

    def _start_emulator(self) -> None:
        file = self.settings.folder / "emulator.json"
        command = [str(self.settings.emulator), "--port", "0", "--time-scale", str(self.settings.time_scale)]
        command += ["--data", str(self.settings.folder / "emulator"), "--vhd-size-mib", str(VHD_MIB)]
        self._run(EMULATOR, [*command, "--env-file", str(file), "--env-format", "json"], self._inherited)
        self.emulator_environment = wait_for(lambda: _read_json(file), seconds=60, what="the emulator to listen")

    def _prepare_airflow(self) -> dict[str, str]:
        home = self.settings.folder / "airflow"
        home.mkdir()
        write_passwords(home, self.keys)
        own = airflow_environment(
            home,
            dags_folder=ROOT / "tests" / "chaos" / "dags",
            ports=self.ports,
            keys=self.keys,
            database=self.database,
        )
        named = {
            "PYTHONPATH": str(ROOT / "tests" / "chaos" / "airflow_path"),
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "chaos_host.host_name",
            "CHAOS_PROGRAM": "db-migrate",
        }
        environment = {**self._inherited, **self.emulator_environment, **own, **named}
        program = self._run("db-migrate", [str(self.settings.airflow), "db", "migrate"], environment)
        if program.child is None or wait_for(program.child.poll, seconds=180, what="the end of db-migrate") != 0:
            raise DemoError("\n".join(tail(program.log_file, 30)))
        del self._running["db-migrate"]
        return environment

    def _run(self, name: str, command: list[str], environment: dict[str, str], cwd: Path | None = None) -> Program:
        # Should this process be killed, the system itself tells the program to end.
        word = FAST_STOP.get(name, "TERM")
        program = start_program(
            name,
            ["setpriv", "--pdeathsig", word, *_merged(command)],
            env=environment,
            cwd=cwd or self.settings.folder,
            log_file=self.log_folder / f"{name}.log",
        )
        self._running[name] = program
        programs = (*self._running.values(), *self._former)
        state = State(self._url, self.keys.user, self.keys.password, programs, this_process())
        write_state(self.settings.folder, state)
        return program


def _merged(command: list[str]) -> list[str]:
    """Return what follows `setpriv` and its option, also where the command is a `setpriv` itself."""
    return command[1:] if command[0] == "setpriv" else ["--", *command]


def _read_json(file: Path) -> dict[str, str] | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
