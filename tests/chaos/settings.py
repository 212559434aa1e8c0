"""The environment of Airflow's processes: CeleryExecutor, PostgreSQL, Redis, and limits that fit a few minutes."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.environment import AirflowSecrets, passwords_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chaos.databases import Database

POLL_INTERVAL = 2.0
# Seconds. Airflow's own limits are made for days; with them a test of minutes would end before the first recovery.
TASK_LOST_AFTER, COMPONENT_LOST_AFTER, QUEUED_TOO_LONG = 25, 15, 40
WORKER_SLOTS = 8


@dataclass(frozen=True)
class Ports:
    """Hold a free port for each server: every process that is one of two has its own."""

    api: int
    postgres: int
    redis: int
    spare: tuple[int, ...]

    @classmethod
    def choose(cls) -> Ports:
        """Let the system choose different free ports."""
        with ExitStack() as held:
            api, postgres, redis, *spare = (_free_port(held) for _ in range(3 + len(NUMBERED)))
        return cls(api, postgres, redis, tuple(spare))


@dataclass(frozen=True)
class ChaosSecrets(AirflowSecrets):
    """Hold all that must never stand in a log, besides what the emulator hands out."""

    database: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    broker: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    def named(self) -> dict[str, str]:
        """Return the secrets, by what people call them."""
        return {
            "password of the database": self.database,
            "password of the broker": self.broker,
            "key of Airflow's tokens": self.jwt_secret,
            "key of Airflow's sessions": self.api_secret_key,
            "key of Airflow's store": self.fernet_key,
            "password of Airflow's user": self.password,
        }


NUMBERED = {
    "worker-1": "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
    "worker-2": "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
    "triggerer-1": "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
    "triggerer-2": "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
    "scheduler-1": "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT",
    "scheduler-2": "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT",
}
"""Which variable gives a process its port."""


def commands(airflow: str, ports: Ports) -> dict[str, list[str]]:
    """Return what starts each of Airflow's processes."""
    server = [airflow, "api-server", "--host", "127.0.0.1", "--port", str(ports.api)]
    worker = [airflow, "celery", "worker", "--concurrency", str(WORKER_SLOTS), "--celery-hostname"]
    return {
        "api-server": server,
        "dag-processor": [airflow, "dag-processor"],
        **{name: [airflow, "scheduler"] for name in ("scheduler-1", "scheduler-2")},
        **{name: [airflow, "triggerer"] for name in ("triggerer-1", "triggerer-2")},
        **{name: [*worker, f"{name}@%h"] for name in ("worker-1", "worker-2")},
    }


def own_variables(name: str, ports: Ports) -> dict[str, str]:
    """Return the variables that one process has for itself."""
    own = dict(zip(NUMBERED, ports.spare, strict=True))
    return {NUMBERED[name]: str(own[name])} if name in NUMBERED else {}


def airflow_environment(
    home: Path, *, dags_folder: Path, ports: Ports, keys: ChaosSecrets, database: Database
) -> dict[str, str]:
    """Return all of Airflow's configuration that every process shares, as environment variables."""
    address = f"http://127.0.0.1:{ports.api}"
    options: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": dags_folder,
            "load_examples": False,
            "executor": "CeleryExecutor",
            # More than there are slots: a scheduler counts tasks of a killed worker as running until they are missed.
            "parallelism": 8 * WORKER_SLOTS,
            "max_active_tasks_per_dag": 8 * WORKER_SLOTS,
            "fernet_key": keys.fernet_key,
            "execution_api_server_url": f"{address}/execution/",
            "simple_auth_manager_users": f"{keys.user}:admin",
            "simple_auth_manager_passwords_file": passwords_file(home),
        },
        "database": {"sql_alchemy_conn": f"postgresql+psycopg2://{database.url}"},
        "celery": {
            "broker_url": f"redis://:{keys.broker}@127.0.0.1:{ports.redis}/0",
            "result_backend": f"db+postgresql://{database.url}",
        },
        "api": {"base_url": address, "secret_key": keys.api_secret_key, "workers": 1},
        "api_auth": {"jwt_secret": keys.jwt_secret},
        "logging": {"base_log_folder": home / "logs"},
        "operators": {"default_deferrable": True},
        "azure_image_builder": {"poll_interval": POLL_INTERVAL, "trigger_min_age": 0},
        **limits(),
    }
    return {"AIRFLOW_HOME": str(home), **dict(_variables(options))}


def limits() -> dict[str, dict[str, object]]:
    """Return after how many seconds Airflow takes what is silent for lost."""
    return {
        "scheduler": {
            "task_instance_heartbeat_timeout": TASK_LOST_AFTER,
            "task_instance_heartbeat_timeout_detection_interval": 5,
            "task_queued_timeout": QUEUED_TOO_LONG,
            "task_queued_timeout_check_interval": 10,
            "num_stuck_in_queued_retries": 20,
            "orphaned_tasks_check_interval": 10,
            "scheduler_health_check_threshold": COMPONENT_LOST_AFTER,
            "scheduler_heartbeat_sec": 3,
        },
        "triggerer": {"job_heartbeat_sec": 3, "triggerer_health_check_threshold": COMPONENT_LOST_AFTER},
    }


def _variables(options: dict[str, dict[str, object]]) -> Iterator[tuple[str, str]]:
    for section, section_options in options.items():
        for name, value in section_options.items():
            yield f"AIRFLOW__{section}__{name}".upper(), str(value)


def _free_port(held: ExitStack) -> int:
    """Return a port that is free now; it stays held until all are chosen, so that none is given twice."""
    listener = held.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    return int(listener.getsockname()[1])
