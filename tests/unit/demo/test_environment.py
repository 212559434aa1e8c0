from __future__ import annotations

import json
import stat
from pathlib import Path

from demo.environment import (
    CONNECTION,
    AirflowSecrets,
    Ports,
    airflow_environment,
    inherited_environment,
    with_portal,
    write_passwords,
)

PORTS = Ports(api=1, scheduler_health=2, worker_log=3, trigger_log=4)


def environment(keys: AirflowSecrets) -> dict[str, str]:
    """Return the variables of an Airflow with these keys."""
    return airflow_environment(
        Path("/home/airflow"), dags_folder=Path("/dags"), ports=PORTS, keys=keys, poll_interval=2.0
    )


def test_only_named_variables_are_inherited() -> None:
    """No AIRFLOW_*, AZURE_*, AIB_* or PYTHON* variable, proxy or CA bundle of the caller reaches what is started."""
    caller = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AIRFLOW_HOME": "/mine",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW_CONN_AZURE_DEFAULT": "azure://",
        "AZURE_CLIENT_SECRET": "secret",
        "AIB_EMULATOR_ARM": "https://elsewhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/bundle",
    }

    assert inherited_environment(caller) == {"PATH": "/bin", "HOME": "/home/me"}


def test_the_execution_api_is_at_the_chosen_port() -> None:
    """Workers call the api-server at its chosen port, not at Airflow's default one."""
    variables = environment(AirflowSecrets())

    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:1/execution/"
    assert variables["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:1"


def test_every_server_has_its_own_port() -> None:
    """The log servers and the health server do not use Airflow's fixed ports."""
    variables = environment(AirflowSecrets())

    assert variables["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT"] == "2"
    assert variables["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] == "3"
    assert variables["AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"] == "4"


def test_signing_in_is_required() -> None:
    """There is one named user, and not everybody is admin."""
    variables = environment(AirflowSecrets())

    assert variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "demo:admin"
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in variables


def test_keys_are_new_each_time() -> None:
    """Two stacks share no secret."""
    first, second = AirflowSecrets(), AirflowSecrets()

    assert first.password != second.password
    assert first.jwt_secret != second.jwt_secret
    assert first.fernet_key != second.fernet_key


def test_keys_are_not_in_the_repr() -> None:
    """A secret does not reach a log by accident."""
    keys = AirflowSecrets()

    assert keys.password not in repr(keys)
    assert keys.jwt_secret not in repr(keys)


def test_the_password_file_is_private(tmp_path: Path) -> None:
    """Only its owner can read the password file, and it names the user."""
    keys = AirflowSecrets(password="made up")
    write_passwords(tmp_path, keys)
    file = tmp_path / "passwords.json"

    assert json.loads(file.read_text()) == {"demo": "made up"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_chosen_ports_differ() -> None:
    """The four servers get four ports."""
    ports = Ports.choose()

    assert len({ports.api, ports.scheduler_health, ports.worker_log, ports.trigger_log}) == 4


def test_the_connection_gets_a_portal() -> None:
    """Task instances link to the portal; everything else in the connection stays as the emulator hands it out."""
    handed_out = {"AIB_EMULATOR_ARM": "https://a", CONNECTION: json.dumps({"login": "me", "extra": {"tenantId": "t"}})}
    variables = with_portal(handed_out)

    assert json.loads(variables[CONNECTION]) == {
        "login": "me",
        "extra": {"tenantId": "t", "portal": "https://portal.azure.com"},
    }
    assert variables["AIB_EMULATOR_ARM"] == "https://a"


def test_without_a_connection_there_is_nothing_to_change() -> None:
    """A stack without the emulator has no connection."""
    assert with_portal({}) == {}
