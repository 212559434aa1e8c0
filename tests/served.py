"""An emulator in a process of its own, as users start it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from aib_emulator.control_client import ControlClient

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 60


class Served:
    """Speak to an emulator over one connection, signed in with a token of its own.

    :param process: the emulator
    :param environment: what it tells clients
    """

    def __init__(self, process: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
        self.process = process
        self.environment = environment
        self.ca_file = environment["SSL_CERT_FILE"]
        self.control = ControlClient(environment["AIB_EMULATOR_CONTROL"], Path(self.ca_file))
        self.subscription_id = environment["AZURE_SUBSCRIPTION_ID"]
        self.session = requests.Session()
        self.session.trust_env = False  # else the variables of the machine's own proxy and bundle would count
        self.session.verify = self.ca_file
        self.session.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self, scope: str = "https://management.azure.com/.default") -> str:
        """Return a token of the start world's application."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.environment["AZURE_CLIENT_ID"],
            "client_secret": self.environment["AZURE_CLIENT_SECRET"],
            "scope": scope,
        }
        url = f"{self.environment['AZURE_AUTHORITY_HOST']}/{self.environment['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        answer = self.session.post(url, data=form, timeout=TIMEOUT)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def send(self, method: str, path: str, body: Any = None, version: str = "2025-10-01") -> requests.Response:
        """Send a request to a path below the subscription, or to a whole address; a refusal is an error."""
        below = f"{self.environment['AIB_EMULATOR_ARM']}/subscriptions/{self.subscription_id}"
        url = path if path.startswith("https://") else f"{below}{path}"
        query = {} if "api-version=" in url else {"api-version": version}
        answer = self.session.request(method, url, params=query, json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer


@contextmanager
def served(folder: Path, *options: str, env_file: str = "env.json") -> Iterator[Served]:
    """Start an emulator whose files lie in a folder; kill it in the end.

    :param options: of the command line
    :param env_file: name of the file for its variables, in JSON, or for a shell
    """
    variables = folder / env_file
    variables.unlink(missing_ok=True)
    form = ("--env-format", "json") if env_file.endswith(".json") else ()
    command = [sys.executable, "-m", "aib_emulator", "--env-file", str(variables), *form, *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
    try:
        if process.stdout is None or not process.stdout.readline().startswith(b"Up: "):
            raise RuntimeError("The emulator did not start; it has said why.")
        yield Served(process, json.loads(variables.read_text()) if form else _variables_of_shell(variables))
    finally:
        process.kill()
        process.wait(10)


def _variables_of_shell(file: Path) -> dict[str, str]:
    done = subprocess.run(
        ["/bin/sh", "-c", '. "$0" && env -0', file], check=True, capture_output=True, text=True, env={}
    )
    pairs = (pair.partition("=") for pair in done.stdout.split("\0") if pair)
    return {name: value for name, _, value in pairs if name not in {"PWD", "_", "SHLVL", "OLDPWD"}}
