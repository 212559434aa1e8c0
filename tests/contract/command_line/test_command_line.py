from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from aib_emulator.__main__ import main
from aib_emulator.control_client import ControlClient

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = [sys.executable, "-m", "aib_emulator"]
NAMES = {
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "AZURE_CONFIG_DIR",
    "AZURE_CORE_INSTANCE_DISCOVERY",
    "AZURE_CORE_COLLECT_TELEMETRY",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_SUBSCRIPTION_ID",
    "AIB_EMULATOR_ARM",
    "AIB_EMULATOR_BLOB",
    "AIB_EMULATOR_CONTROL",
    "AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT",
}
STRANGER = """
import os
from azure.identity import ClientSecretCredential
from azure.mgmt.imagebuilder import ImageBuilderClient
arm, names = os.environ["AIB_EMULATOR_ARM"], ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
credential = ClientSecretCredential(*map(os.environ.get, names), disable_instance_discovery=True)
client = ImageBuilderClient(credential, os.environ["AZURE_SUBSCRIPTION_ID"], base_url=arm)
print(len(list(client.virtual_machine_image_templates.list())))
"""
pytestmark = pytest.mark.slow


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Start the emulator as users do, and end it if the test has not."""
    env_file = folder / "env.json"
    command = [*PROGRAM, "--env-file", str(env_file), "--env-format", "json", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Up: https://localhost:")
        yield process, json.loads(env_file.read_text())
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_a_signal_with_all_that_it_started(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end the emulator and its Azurite within five seconds, and leave no folder behind."""
    with served(tmp_path) as (process, environment):
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(number)
        assert process.wait(5) == 0
        gone, alive = psutil.wait_procs(children, timeout=1)
        assert (len(gone), alive) == (len(children), [])
        assert not Path(environment["REQUESTS_CA_BUNDLE"]).exists()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start the emulator as users do, and read what it tells clients."""
    with served(tmp_path_factory.mktemp("served")) as (_, found):
        yield found


def test_the_environment_file_is_all_that_a_client_needs(environment: dict[str, str], tmp_path: Path) -> None:
    """A program that knows nothing of the emulator works with the variables of the file."""
    assert set(environment) == NAMES
    done = subprocess.run(
        [sys.executable, "-c", STRANGER], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr


def test_the_airflow_connection_is_in_it(environment: dict[str, str]) -> None:
    """The connection names the custom cloud with everything that leads to this emulator."""
    connection = json.loads(environment["AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT"])
    assert connection["conn_type"] == "azure_image_builder"
    assert (connection["login"], connection["password"]) == (
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_CLIENT_SECRET"],
    )
    assert connection["extra"] == {
        "tenantId": environment["AZURE_TENANT_ID"],
        "subscriptionId": environment["AZURE_SUBSCRIPTION_ID"],
        "cloud_environment": "custom",
        "resource_manager_endpoint": environment["AIB_EMULATOR_ARM"],
        "authority_host": environment["AIB_EMULATOR_ARM"],
        "storage_suffix": environment["AIB_EMULATOR_BLOB"].removeprefix("https://"),
        "ca_bundle": environment["SSL_CERT_FILE"],
    }


def test_a_data_folder_keeps_certificate_and_signing_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a restart on the same folder clients trust the same authority, and the clock is as fast as it was.

    Meanwhile nobody else can have the folder, and whoever tries leaves the variables as they are.
    """
    data = tmp_path / "data"
    theirs = data / "blobs" / "photo"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    kept = []
    for options, scale in ((["--time-scale", "50"], 50), ([], 50), (["--time-scale", "7"], 7)):
        with served(tmp_path, "--data", str(data), *options) as (process, environment):
            control = ControlClient(environment["AIB_EMULATOR_CONTROL"], Path(environment["SSL_CERT_FILE"]))
            assert control.clock()["scale"] == scale
            assert main(["--data", str(data), "--env-file", str(tmp_path / "env.json")]) == 1
            kept.append([(data / "tls" / name).read_bytes() for name in ("ca.pem", "token-signing.key")])
            process.terminate()
            process.wait(5)
        (tmp_path / "env.json").unlink()
    assert kept[0] == kept[1] == kept[2]
    assert theirs.exists()
    assert "in use by another emulator" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--time-scale", "0"], ["--vhd-size-mib", "0"]])
def test_bad_options_are_refused(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    """What must not be is refused before anything listens."""
    with pytest.raises(SystemExit) as refused:
        main(options)
    assert refused.value.code == 2
    assert f"argument {options[0]}: " in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--port", "--blob-port"])
def test_a_taken_port_is_told(tmp_path: Path, option: str) -> None:
    """A port that somebody else has ends the start with a sentence, not with a trace."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*PROGRAM, option, port], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30
        )
    assert done.returncode == 1
    assert f"Port {port} ({option}) is taken" in done.stderr
    assert "Traceback" not in done.stderr
