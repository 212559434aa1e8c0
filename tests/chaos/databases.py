"""Says how PostgreSQL and Redis are started on loopback, and asks the database."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from demo.waiting import DemoError

if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRES, REDIS = "postgres", "redis"
NAME = "airflow"
CONNECTIONS = 400
# PostgreSQL refuses to run as root.
NOBODY, NO_GROUP = "nobody", "nogroup"
DURABLE_ENOUGH = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "jit": "off"}
"""The machine never loses power here; processes die, and that costs no write."""


@dataclass(frozen=True)
class Services:
    """Know the unpacked programs, and run them as somebody who may.

    :param folder: where `tests.chaos.debian` has unpacked them.
    :param inherited: the few variables that every program gets.
    """

    folder: Path
    inherited: Mapping[str, str]

    def program(self, name: str) -> str:
        """Return the path of a program."""
        found = [*self.folder.glob(f"usr/lib/postgresql/*/bin/{name}"), *self.folder.glob(f"usr/bin/{name}")]
        if not found:
            raise DemoError(f"{name} is not in {self.folder}: unpack it with `make chaos`")
        return str(found[0])

    def environment(self) -> dict[str, str]:
        """Return the environment of the programs: their libraries lie beside them."""
        libraries = ":".join(str(path) for path in self.folder.glob("**/*-linux-gnu") if path.parent.name == "lib")
        return {**self.inherited, "LD_LIBRARY_PATH": libraries}

    def run(self, command: list[str]) -> str:
        """Run one to its end as the one who owns the database, and return what it says."""
        done = subprocess.run(
            [*as_nobody(), *command], env=self.environment(), cwd="/", check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise DemoError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


@dataclass(frozen=True)
class Database:
    """Make, start and ask one PostgreSQL.

    :param services: its programs.
    :param folder: where its data lies; everybody may pass through the folders above.
    :param port: where it listens on loopback.
    :param password: of its one user.
    """

    services: Services
    folder: Path
    port: int
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where the database is, without the driver: `user:password@host:port/name`."""
        return f"{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    def create(self) -> None:
        """Make its files."""
        self.folder.mkdir(parents=True)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if os.geteuid() == 0:
            for path in (self.folder, password_file):
                shutil.chown(path, NOBODY, NO_GROUP)
        command = [self.services.program("initdb"), "--pgdata", str(self.folder / "data"), "--username", NAME]
        command += ["--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"]
        self.services.run([*command, "--locale", "C.UTF-8"])

    def command(self) -> list[str]:
        """Return what starts it."""
        options = {**DURABLE_ENOUGH, "port": self.port, "listen_addresses": "127.0.0.1", "max_connections": CONNECTIONS}
        settings = {**options, "unix_socket_directories": ""}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*as_nobody(), self.services.program("postgres"), "-D", str(self.folder / "data"), *words]

    def is_up(self) -> bool | None:
        """Return True once it answers, and None before."""
        try:
            return bool(self.ask("select 1", base="postgres"))
        except DemoError:
            return None

    def ask(self, query: str, *, base: str = NAME) -> list[dict[str, str]]:
        """Return the rows that a query finds, by column."""
        command = [self.services.program("psql"), "--no-psqlrc", "--csv", "--quiet", "--command", query]
        address = f"postgresql://{NAME}@127.0.0.1:{self.port}/{base}"
        environment = {**self.services.environment(), "PGPASSWORD": self.password}
        done = subprocess.run([*command, address], env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise DemoError(f"the database did not answer: {done.stderr}")
        return list(csv.DictReader(io.StringIO(done.stdout)))


def redis_command(services: Services, port: int, password: str) -> list[str]:
    """Return what starts a Redis that keeps nothing on disk."""
    options = {"port": port, "bind": "127.0.0.1", "requirepass": password, "save": "", "appendonly": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [services.program("redis-server"), *words]


def as_nobody() -> list[str]:
    """Return what turns root into nobody, ahead of a command; nothing for anybody else."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NO_GROUP}", "--clear-groups", "--"]
