"""Recorded exchanges with the real service, and how the emulator is brought into the states in which they were made."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.contract.roles import assign, principal_of
from tests.reference_files import recorded_exchanges

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

RECORDED = recorded_exchanges()
STABLE = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "<guid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|\+00:00)"), "<time>"),
    (re.compile(r'"exactVersion": "18\.04\.\d+"'), '"exactVersion": "<version>"'),
    (re.compile(r"/versions/0\.\d+\.\d+"), "/versions/<number>"),
    (re.compile(r'"sizeInGB": \d+'), '"sizeInGB": 0'),
    (re.compile(r"https://[^/]+/(?:[a-z0-9]{24})/"), "https://<account>/"),
    (re.compile(r"https://[a-z0-9]{24}\.blob\.core\.windows\.net/"), "https://<account>/"),
    (re.compile(r"storageAccounts/[a-z0-9]{24}"), "storageAccounts/<account>"),
    (re.compile(r"/vhds/\w+_\d{14}\.vhd"), "/vhds/<name>.vhd"),
)
LOCATION = "eastus"


def stable(body: Any) -> str:
    """Return the text of a body, members in their order, with what differs from day to day replaced."""
    text = json.dumps(body, indent=1)
    for pattern, word in STABLE:
        text = pattern.sub(word, text)
    return text


class Replay:
    """Bring the emulator into the state of a recording, and send what was sent then.

    :param raw: the emulator
    """

    def __init__(self, raw: RawArm) -> None:
        self.raw = raw
        self.control = raw.thread.control
        # Scripts of the recordings come with a checksum of a file that this machine cannot read.
        self._prepare()

    def _prepare(self) -> None:
        group = "/resourceGroups/aib-rg"
        gallery = f"{group}/providers/Microsoft.Compute/galleries/gal1"
        place = {"location": LOCATION}
        definition = {
            **place,
            "properties": {
                "osType": "Linux",
                "osState": "Generalized",
                "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
            },
        }
        for path, body in (
            (group, place),
            (f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ide1", place),
            (gallery, place),
            (f"{gallery}/images/def1", definition),
        ):
            answer = self.raw.send("PUT", path, body, api_version="2024-03-03")
            assert answer.status_code in {200, 201}, answer.text
        assign(self.raw, "Contributor", principal_of(self.raw, "ide1", "aib-rg"))
        self.control.advance(600)

    def send(
        self,
        example_id: str,
        *,
        url: str | None = None,
        api_version: str | None = None,
        properties: dict[str, Any] | None = None,
    ) -> Any:
        """Send the request of a recording: to another address, in another version, with other properties if given."""
        request = RECORDED[example_id]["request"]
        recorded = self.ours(request["url"].replace("https://management.azure.com", self.raw.url))
        if api_version is not None:
            recorded = re.sub(r"api-version=[0-9-]+", f"api-version={api_version}", recorded)
        body = json.loads(self.ours(json.dumps(request["body"]))) if request.get("body") else None
        if body is not None and properties is not None:
            body["properties"].update(properties)
        return self.raw.send(request["method"], url or recorded, body)

    def follow(self, answer: Any, follow_up: dict[str, Any]) -> Any:
        """Send what was sent after a recording: a poll, or another request."""
        recorded = follow_up.get("url", "").replace("https://management.azure.com", self.raw.url)
        return self.raw.send("GET", self.ours(recorded) or answer.headers["Azure-AsyncOperation"])

    def create(self, example_id: str = "put-template-201", **properties: Any) -> Any:
        """Create the image template of a recording, and let the creation end."""
        answer = self.send(example_id, properties=properties or None)
        self.control.advance(60)
        return answer

    def start(self) -> Any:
        """Start the run of the recording."""
        return self.send("post-run-202")

    def ours(self, text: str) -> str:
        """Return an address or a body of a recording with this emulator's subscription."""
        return text.replace("/subscriptions/00000000-0000-0000-0000-000000000000", self._subscription())

    def _subscription(self) -> str:
        return f"/subscriptions/{self.raw.settings.subscription_id}"
