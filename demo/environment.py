"""The environment of Airflow's processes: all of its configuration, and nothing else of the caller's shell."""

from __future__ import annotations

import json
import secrets
import socket
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# All else stays outside: AIRFLOW_*, AZURE_*, PYTHON*, proxies and CA bundles of the caller would change what runs.
CONNECTION = "AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT"
# The emulator has no portal of its own. With Azure's, the buttons show, and have the form that they have in earnest.
PORTAL = "https://portal.azure.com"
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Ports:
    """Hold the port of each server that Airflow opens."""

    api: int
    scheduler_health: int
    worker_log: int
    trigger_log: int

    @classmethod
    def choose(cls) -> Ports:
        """Let the system choose four different free ports."""
        with ExitStack() as held:
            return cls(*(_free_port(held) for _ in range(4)))


@dataclass(frozen=True)
class AirflowSecrets:
    """Hold what lets Airflow's components, and one user, trust each other; made anew for each folder."""

    user: str = "demo"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    jwt_secret: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    api_secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    fernet_key: str = field(default_factory=lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode(), repr=False)


def inherited_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the few variables of the caller that a program needs to run at all."""
    return {name: environment[name] for name in INHERITED if name in environment}


def airflow_environment(
    home: Path, *, dags_folder: Path, ports: Ports, keys: AirflowSecrets, poll_interval: float
) -> dict[str, str]:
    """Return all of Airflow's configuration as environment variables: SQLite, LocalExecutor, loopback, one user."""
    address = f"http://127.0.0.1:{ports.api}"
    options: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": dags_folder,
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "fernet_key": keys.fernet_key,
            "execution_api_server_url": f"{address}/execution/",
            "simple_auth_manager_users": f"{keys.user}:admin",
            "simple_auth_manager_passwords_file": passwords_file(home),
            "test_connection": "Enabled",
        },
        # Seconds for which a writer waits for another one: five, the default, are too few on a busy machine.
        "database": {"sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}?timeout=60"},
        "api": {"base_url": address, "secret_key": keys.api_secret_key, "workers": 1},
        "api_auth": {"jwt_secret": keys.jwt_secret},
        "logging": {
            "base_log_folder": home / "logs",
            "worker_log_server_port": ports.worker_log,
            "trigger_log_server_port": ports.trigger_log,
        },
        "scheduler": {"scheduler_health_check_server_port": ports.scheduler_health},
        "operators": {"default_deferrable": True},
        "dag_processor": {"refresh_interval": 10, "min_file_process_interval": 10},
        # A worker that lingers after deferring makes the LocalExecutor take the end of the first leg for the task's.
        "workers": {"min_heartbeat_interval": 1},
        "azure_image_builder": {"poll_interval": poll_interval},
    }
    return {"AIRFLOW_HOME": str(home), **_as_variables(options)}


def with_portal(emulator: Mapping[str, str]) -> dict[str, str]:
    """Return what the emulator hands out, with a portal in the connection, so that tasks have links to it."""
    if CONNECTION not in emulator:
        return dict(emulator)
    connection = json.loads(emulator[CONNECTION])
    linked = {**connection, "extra": {**connection["extra"], "portal": PORTAL}}
    return {**emulator, CONNECTION: json.dumps(linked)}


def passwords_file(home: Path) -> Path:
    """Return where the simple auth manager finds the users' passwords."""
    return home / "passwords.json"


def write_passwords(home: Path, keys: AirflowSecrets) -> None:
    """Write the password file, readable for its owner only."""
    file = passwords_file(home)
    file.touch(mode=0o600)
    file.write_text(json.dumps({keys.user: keys.password}), encoding="utf-8")


def _as_variables(options: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    return {
        f"AIRFLOW__{section}__{name}".upper(): str(value)
        for section, section_options in options.items()
        for name, value in section_options.items()
    }


def _free_port(held: ExitStack) -> int:
    """Return a port that is free now; it stays held until all are chosen, so that none is given twice."""
    listener = held.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    return int(listener.getsockname()[1])
