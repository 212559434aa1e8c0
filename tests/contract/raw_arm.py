"""Resource Manager without any SDK: what exactly goes over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.server import EmulatorThread

TIMEOUT = 30


class RawArm:
    """Send single requests to an emulator, signed in with a token of its own.

    :param thread: the emulator
    :param application: whose `client_id` and `client_secret` sign in; the start world's when None
    """

    def __init__(self, thread: EmulatorThread, application: Mapping[str, str] | None = None) -> None:
        self.thread = thread
        self._application = application or {}
        self.settings = thread.emulator.settings
        self.url = thread.emulator.arm_url
        self.session = requests.Session()
        # Else the variables of the machine's own proxy and bundle would count.
        self.session.trust_env = False
        self.session.verify = str(thread.emulator.ca_file)
        self.session.headers["Authorization"] = f"Bearer {self.token()}"

    def sign_in(self, tenant: str | None = None, **form: str) -> requests.Response:
        """Ask for a token, with these form fields in place of the usual ones."""
        usual = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "scope": "https://management.azure.com/.default",
            **{name: self._application[name] for name in ("client_id", "client_secret") if name in self._application},
        }
        url = f"{self.url}/{tenant or self.settings.tenant_id}/oauth2/v2.0/token"
        return self.session.post(url, data={**usual, **form}, timeout=TIMEOUT)

    def token(self) -> str:
        """Return a token for Resource Manager."""
        return str(self.sign_in().json()["access_token"])

    def send(
        self, method: str, path: str, body: Any = None, *, api_version: str | None = "2025-10-01", **more: Any
    ) -> requests.Response:
        """Send a request to a path below the subscription, or to a whole path or address."""
        url = path if path.startswith("https://") else f"{self.url}{self._full(path)}"
        query = {"api-version": api_version} if api_version and "api-version=" not in url else {}
        return self.session.request(
            method, url, params={**query, **more.pop("params", {})}, json=body, timeout=TIMEOUT, **more
        )

    def _full(self, path: str) -> str:
        if path.startswith(("/subscriptions", "/metadata", "/tenants", "/_emulator")):
            return path
        return f"/subscriptions/{self.settings.subscription_id}{path}"
