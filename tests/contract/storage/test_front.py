from __future__ import annotations

import gzip
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest
from multidict import CIMultiDict
from yarl import URL

from aib_emulator.blob_front.shared_key import authorization
from aib_emulator.blob_front.target import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aib_emulator.server import EmulatorThread

ACCOUNT = "imagestore"
VERSION = "2026-10-06"
BLOB = f"/{ACCOUNT}/images/a%20b.txt"


@dataclass(frozen=True)
class RawAnswer:
    """What came back, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RawClient:
    """Send requests as they are, signed with the account key.

    :param thread: the emulator
    """

    def __init__(self, thread: EmulatorThread) -> None:
        self._url = thread.emulator.blob_url
        self._key = thread.emulator.world.blobs.account_keys(ACCOUNT)[0]
        context = ssl.create_default_context(cafile=thread.emulator.ca_file)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            skip_auto_headers=("Content-Type", "User-Agent"),
            auto_decompress=False,
        )

    async def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> RawAnswer:
        """Send a request and return the answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = CIMultiDict({"x-ms-version": VERSION, "Content-Length": str(len(body)), **named})
        sent["Authorization"] = authorization(method, Target(target), sent, self._key)
        url = URL(self._url + target, encoded=True)
        async with self.session.request(method, url, headers=sent, data=body) as answer:
            return RawAnswer(answer.status, answer.headers, await answer.read())


@pytest.fixture
async def client(emulator: EmulatorThread) -> AsyncIterator[RawClient]:
    """Hand out a raw client."""
    found = RawClient(emulator)
    yield found
    await found.session.close()


async def test_target_reaches_azurite_byte_for_byte(client: RawClient) -> None:
    """Percent-encoding of any kind is covered by the signature, and passes as it is."""
    for target in (BLOB, f"/{ACCOUNT}/images/%7Etilde%2fslash", f"/{ACCOUNT}/images/plus+%2B%C3%BC"):
        created = await client.send("PUT", target, b"x", x_ms_blob_type="BlockBlob")
        assert created.status == 201
        assert (await client.send("GET", target)).status == 200


async def test_empty_body_stays_without_a_type(client: RawClient) -> None:
    """A request without a body arrives without an invented content type, which its signature would not cover."""
    assert (await client.send("PUT", f"/{ACCOUNT}/fresh?restype=container")).status == 201


async def test_head_tells_the_length_without_the_body(client: RawClient) -> None:
    """HEAD answers the blob's length and no body; the connection serves the next request."""
    await client.send("PUT", BLOB, b"hello", x_ms_blob_type="BlockBlob")
    head = await client.send("HEAD", BLOB)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "5", b"")
    assert (await client.send("GET", BLOB)).body == b"hello"


async def test_compressed_blob_stays_compressed(client: RawClient) -> None:
    """What is sent with a content encoding is kept and sent back as it is, never unpacked on the way."""
    packed = gzip.compress(b"hello" * 1000)
    encoding = {"Content-Encoding": "gzip", "x-ms-blob-content-encoding": "gzip"}
    await client.send("PUT", BLOB, packed, x_ms_blob_type="BlockBlob", **encoding)
    answer = await client.send("GET", BLOB)
    assert (answer.headers["Content-Encoding"], answer.body) == ("gzip", packed)


@pytest.mark.parametrize("query", ["/images?restype=container&comp=list", "/?comp=list"])
async def test_lists_name_the_address_that_was_asked(client: RawClient, emulator: EmulatorThread, query: str) -> None:
    """The service endpoint of a list is that of the front, over TLS."""
    listed = await client.send("GET", f"/{ACCOUNT}{query}")
    assert f' ServiceEndpoint="{emulator.emulator.blob_url}/{ACCOUNT}"' in listed.body.decode()


async def test_part_of_a_blob_is_answered_as_a_part(client: RawClient) -> None:
    """A range gives 206 with the range's header."""
    await client.send("PUT", BLOB, b"0123456789", x_ms_blob_type="BlockBlob")
    part = await client.send("GET", BLOB, x_ms_range="bytes=2-4")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


async def test_unchanged_blob_is_not_sent_again(client: RawClient) -> None:
    """A condition that holds is answered with 304 and no body."""
    created = await client.send("PUT", BLOB, b"hello", x_ms_blob_type="BlockBlob")
    again = await client.send("GET", BLOB, If_None_Match=created.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/nobody/images/a"),
        ("GET", f"/{ACCOUNT}/missing?restype=container&comp=list"),
        ("HEAD", f"/{ACCOUNT}/images/missing"),
        ("GET", f"/{ACCOUNT}/images/missing?comp=pagelist&prevsnapshot=2026-01-01T00:00:00.0000000Z"),
        ("PUT", f"/{ACCOUNT}/images/missing?comp=incrementalcopy"),
        ("PUT", f"/{ACCOUNT}/images/missing?comp=nonsense"),
        ("POST", f"/{ACCOUNT}/?restype=service&comp=userdelegationkey"),
        ("GET", "/"),
    ],
)
async def test_every_error_has_a_code(client: RawClient, method: str, target: str) -> None:
    """Clients decide by x-ms-error-code whether to try again, so that every error has it, whoever answers."""
    answer = await client.send(method, target)
    assert answer.status >= 400
    assert answer.headers["x-ms-error-code"]


async def test_connection_is_kept(client: RawClient) -> None:
    """One connection serves request after request."""
    await client.send("PUT", BLOB, b"hello", x_ms_blob_type="BlockBlob")
    for _ in range(5):
        answer = await client.send("GET", BLOB)
        assert answer.headers.get("Connection", "keep-alive") == "keep-alive"
