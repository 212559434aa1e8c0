"""What a creation downloads: from the emulator's own blobs, and from servers on this machine."""

from __future__ import annotations

import hashlib
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from tests.contract.image_builder.calls import ONE, create
from tests.contract.roles import assign, principal_of, take_away_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.raw_arm import RawArm

SCRIPT = b"#!/bin/sh\necho from a server\n"
CHECKSUM = hashlib.sha256(SCRIPT).hexdigest()


class ScriptServer(ThreadingHTTPServer):
    """Serve a script at `/script`, and bad news at other paths."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ScriptHandler)
        self.asked: list[str] = []


class ScriptHandler(BaseHTTPRequestHandler):
    """Answer one request."""

    server: ScriptServer

    def do_GET(self) -> None:
        """Send what the path stands for."""
        is_first = self.path not in self.server.asked
        self.server.asked.append(self.path)
        status, headers = {
            "/script": (200, {}),
            "/script?token=1": (200, {}),
            "/moved": (302, {"Location": "/script"}),
            "/away": (302, {"Location": "http://example.com/script"}),
            "/circle": (302, {"Location": "/circle"}),
            "/once": (503 if is_first else 200, {}),
            "/broken": (503, {}),
        }.get(self.path, (404, {}))
        content = SCRIPT if status == 200 else b""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(server: ScriptServer) -> Iterator[str]:
    """Serve on a thread; give the server's host and port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[ScriptServer]:
    """Serve scripts over HTTP."""
    found = ScriptServer()
    with serving(found):
        yield found


def steps(uri: str) -> dict[str, Any]:
    """Return every part of an image template that names a file, with `uri` in each."""
    return {
        "customize": [
            {"type": "Shell", "name": "s", "scriptUri": uri},
            {"type": "File", "name": "f", "sourceUri": uri, "destination": "/f"},
        ],
        "validate": {"inVMValidations": [{"type": "Shell", "name": "v", "scriptUri": uri}]},
        "optimize": {"workload": {"state": "Enabled", "scriptUri": uri}},
    }


def properties_of(raw: RawArm) -> dict[str, Any]:
    """Return the properties of the image template."""
    found: dict[str, Any] = raw.send("GET", ONE).json()["properties"]
    return found


def checksum_after_creation(raw: RawArm, uri: str) -> str | None:
    """Create an image template with one script; return the checksum, or None when the creation has failed."""
    create(raw, customize=[{"type": "Shell", "name": "s", "scriptUri": uri}])
    properties = properties_of(raw)
    if properties["provisioningState"] == "Succeeded":
        return str(properties["customize"][0]["sha256Checksum"])
    error = properties["provisioningError"]
    assert error["provisioningErrorCode"] == "NoCustomizerScript"
    assert f"Downloading external file ({uri}) to local file (" in error["message"]
    assert "[attempt 1 of 10] failed" in error["message"]
    return None


@pytest.mark.parametrize("path", ["/script", "/script?token=1", "/moved", "/once"])
def test_a_server_on_this_machine_is_asked(raw: RawArm, server: ScriptServer, path: str) -> None:
    """Whatever names a file gets the checksum of what the server sends, if need be after a redirect or an error."""
    create(raw, **steps(f"http://127.0.0.1:{server.server_port}{path}"))
    properties = properties_of(raw)
    found = [*properties["customize"], *properties["validate"]["inVMValidations"], properties["optimize"]["workload"]]
    assert [step["sha256Checksum"] for step in found] == [CHECKSUM] * 4


@pytest.mark.parametrize(("path", "asked"), [("/absent", 1), ("/broken", 10), ("/away", 1), ("/circle", 10)])
def test_a_server_that_has_no_script_fails_the_creation(
    raw: RawArm, server: ScriptServer, path: str, asked: int
) -> None:
    """A failing server is asked ten times, and nobody is asked who is not on this machine."""
    assert checksum_after_creation(raw, f"http://localhost:{server.server_port}{path}") is None
    assert server.asked == [path] * asked


def test_a_server_that_is_not_there_fails_the_creation(raw: RawArm) -> None:
    """Nobody listens at the address."""
    with serving(ScriptServer()) as place:
        pass
    assert checksum_after_creation(raw, f"http://{place}/script") is None


def test_a_server_may_have_any_certificate(raw: RawArm) -> None:
    """A test server on this machine need not have a certificate that anybody trusts."""
    server = ScriptServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as place:
        assert checksum_after_creation(raw, f"https://{place}/script") == CHECKSUM


def test_a_checksum_that_does_not_fit_fails_the_creation(raw: RawArm, server: ScriptServer) -> None:
    """The checksum that was sent is compared with what the server sends."""
    uri = f"http://127.0.0.1:{server.server_port}/script"
    create(raw, customize=[{"type": "Shell", "name": "s", "scriptUri": uri, "sha256Checksum": "0" * 64}])
    error = properties_of(raw)["provisioningError"]
    assert error["provisioningErrorCode"] == "Other"
    assert CHECKSUM in error["message"]


class Uploaded:
    """A script in the start world's account, which the image template's identity may not read.

    :param raw: the emulator
    """

    def __init__(self, raw: RawArm) -> None:
        take_away_roles(raw, principal_of(raw))
        world = raw.thread.emulator.world
        self.key = world.blobs.account_keys("imagestore")[0]
        url = f"{raw.thread.emulator.blob_url}/imagestore"
        ca_file = str(raw.thread.emulator.ca_file)
        self.service = BlobServiceClient(url, credential=self.key, connection_verify=ca_file)
        self.container = self.service.get_container_client("images")
        self.container.upload_blob("setup.sh", SCRIPT)
        self.url = f"{url}/images/setup.sh"

    def signed(self, *, key: str | None = None, hours: int = 1, permission: str = "r") -> str:
        """Return the script's address with a signature."""
        signature = generate_blob_sas(
            "imagestore",
            "images",
            "setup.sh",
            account_key=key or self.key,
            permission=BlobSasPermissions.from_string(permission),
            expiry=datetime.now(UTC) + timedelta(hours=hours),
        )
        return f"{self.url}?{signature}"


@pytest.fixture
def uploaded(raw: RawArm) -> Iterator[Uploaded]:
    """Upload a script; the identity may still distribute, and no longer read blobs."""
    found = Uploaded(raw)
    assign(raw, "Contributor", principal_of(raw))
    with found.service:
        yield found


@pytest.mark.parametrize(
    ("how", "is_good"),
    [
        ({}, True),
        ({"hours": -1}, False),
        ({"permission": "w"}, False),
        ({"key": "AAAA"}, False),
    ],
    ids=["good", "over", "write only", "wrong key"],
)
def test_a_signature_must_be_good(raw: RawArm, uploaded: Uploaded, how: dict[str, Any], *, is_good: bool) -> None:
    """A signature in the address lets the service in as it would let in anybody, and only as far."""
    assert checksum_after_creation(raw, uploaded.signed(**how)) == (CHECKSUM if is_good else None)


@pytest.mark.parametrize("is_public", [True, False])
def test_a_public_script_needs_no_right(raw: RawArm, uploaded: Uploaded, *, is_public: bool) -> None:
    """Without right and signature only a container that is open to everybody gives a script."""
    account = "/resourceGroups/images/providers/Microsoft.Storage/storageAccounts/imagestore"
    change = {"properties": {"allowBlobPublicAccess": True}}
    assert raw.send("PATCH", account, change, api_version="2024-01-01").status_code == 200
    if is_public:
        uploaded.container.set_container_access_policy({}, public_access="blob")
    assert checksum_after_creation(raw, uploaded.url) == (CHECKSUM if is_public else None)
