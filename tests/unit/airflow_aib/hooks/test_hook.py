from __future__ import annotations

import json
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_aib.exceptions import ConnectionSettingsError
from airflow_aib.hooks.image_builder import AzureImageBuilderHook
from tests.fakes import SUBSCRIPTION


def connect(monkeypatch: pytest.MonkeyPatch, conn_id: str = "azure_image_builder_default", **parts: Any) -> None:
    """Define an Airflow connection as users do: in the environment."""
    connection = {"conn_type": "azure_image_builder", "login": "client", "password": "hush", **parts}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))


EXTRA = {"tenantId": "tenant", "subscriptionId": SUBSCRIPTION}


@pytest.mark.parametrize("conn_type", ["azure_image_builder", "azure"])
async def test_a_connection_is_read_in_both_worlds(monkeypatch: pytest.MonkeyPatch, conn_type: str) -> None:
    """A task on a worker and a trigger on an event loop read the same settings, from both connection types."""
    connect(monkeypatch, conn_type=conn_type, extra=EXTRA)
    hook = AzureImageBuilderHook()

    assert hook.settings.tenant_id == "tenant"
    assert await hook.async_settings() == hook.settings


def test_another_connection_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are found by their id."""
    connect(monkeypatch, "elsewhere", extra=EXTRA)

    assert AzureImageBuilderHook("elsewhere").settings.client_id == "client"


def test_an_image_template_is_named_in_the_connections_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    """Group and name suffice where the connection has a subscription."""
    connect(monkeypatch, extra=EXTRA)

    resource_id = AzureImageBuilderHook().image_template_id("images", "base")

    assert resource_id.startswith(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/")


def test_a_connection_without_a_subscription_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of a connection explains what lacks, instead of failing."""
    connect(monkeypatch, extra={"tenantId": "tenant"})

    is_good, message = AzureImageBuilderHook().test_connection()

    assert not is_good
    assert "subscriptionId" in message


def test_a_wrong_connection_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of a connection reports wrong fields in a sentence."""
    connect(monkeypatch, extra={**EXTRA, "cloud_environment": "Moon"})

    is_good, message = AzureImageBuilderHook().test_connection()

    assert not is_good
    assert "'Moon'" in message
    with pytest.raises(ConnectionSettingsError):
        _ = AzureImageBuilderHook().settings


def test_an_azure_that_is_not_there_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of a connection really asks: an address where nobody listens is no success."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{free.getsockname()[1]}"
    cloud = {
        "cloud_environment": "custom",
        "resource_manager_endpoint": address,
        "authority_host": address,
        "storage_suffix": "127.0.0.1:1",
    }
    connect(monkeypatch, extra={**EXTRA, **cloud})

    is_good, message = AzureImageBuilderHook().test_connection()

    assert not is_good
    assert "network" in message
    assert "hush" not in message


def test_the_hook_loads_no_sdk(tmp_path: Path) -> None:
    """Importing any module of the hooks loads neither an Azure SDK nor an HTTP client."""
    folder = Path(sys.modules["airflow_aib.hooks"].__file__ or "").parent
    modules = ", ".join(f"airflow_aib.hooks.{file.stem}" for file in sorted(folder.glob("*.py")) if file.stem[0] != "_")
    heavy = "{'azure', 'aiohttp'} & {name.split('.')[0] for name in sys.modules}"
    script = f"import sys, {modules}; print(sorted({heavy}))"

    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_settings_can_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are plain values: they survive pickling, for who needs that."""
    connect(monkeypatch, extra=EXTRA)
    settings = AzureImageBuilderHook().settings

    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own
