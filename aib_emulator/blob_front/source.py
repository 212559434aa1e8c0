"""The source of a copy: checked as the service checks it, read from Azurite."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from multidict import CIMultiDict

from aib_emulator.blob_front.access import Credential
from aib_emulator.blob_front.errors import ERROR_CODE, StorageError, code_of
from aib_emulator.blob_front.page_ranges import ByteRange, read_page_list, runs_within
from aib_emulator.blob_front.target import Target, target_of_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from aib_emulator.blob_front.access import BlobAccount, Gate
    from aib_emulator.blob_front.backend import Backend

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
CONDITIONS = {
    "x-ms-source-if-match": "If-Match",
    "x-ms-source-if-none-match": "If-None-Match",
    "x-ms-source-if-modified-since": "If-Modified-Since",
    "x-ms-source-if-unmodified-since": "If-Unmodified-Since",
}
UNFULFILLED = frozenset({HTTPStatus.NOT_MODIFIED, HTTPStatus.PRECONDITION_FAILED})
API_VERSION = "2021-12-02"


@dataclass(frozen=True)
class Pages:
    """What a window of the source holds.

    :param runs: its allocated runs
    :param etag: the state of the source that they belong to
    """

    runs: list[ByteRange]
    etag: str


@dataclass(frozen=True)
class SourceState:
    """Say what a source is at an instant.

    :param length: its bytes
    :param etag: of this state
    :param blob_type: page, block or append blob, as the service writes it
    """

    length: int
    etag: str
    blob_type: str = ""


class Source:
    """Read the blob that a copy is made of.

    :param target: where it lies
    :param key: account key to read it with; None when the address itself carries the right to
    :param conditions: `If-...` headers that it must fulfil
    """

    def __init__(self, backend: Backend, target: Target, key: str | None, conditions: Mapping[str, str]) -> None:
        self.target = target
        self._backend = backend
        self._key = key
        self._conditions = conditions

    async def pages(self, window: ByteRange) -> Pages:
        """Return what the window holds; a block blob is data throughout."""
        answer = await self._get(self.target.with_query("comp=pagelist"), window, self._conditions)
        async with answer:
            body = await answer.read()
            if answer.status == HTTPStatus.CONFLICT:  # InvalidBlobType: it is no page blob
                return Pages([window], "")
            _demand_success(answer, body)
            if window.end > int(answer.headers["x-ms-blob-content-length"]):
                raise _outside_of_source()
            return Pages(runs_within(read_page_list(body), window), answer.headers["ETag"])

    async def read(self, run: ByteRange, etag: str) -> bytes:
        """Return the bytes of a run, as they were in the state `etag`."""
        conditions = {"If-Match": etag} if etag else self._conditions
        async with await self._get(self.target, run, conditions) as answer:
            body = await answer.read()
            _demand_success(answer, body)
            return body

    async def verify(self) -> SourceState:
        """Make sure that it can be read, without reading it, and return its state."""
        headers = CIMultiDict({"x-ms-version": API_VERSION, **self._conditions})
        async with await self._backend.send("HEAD", self.target, headers, key=self._key) as answer:
            _demand_success(answer, b"")
            found = answer.headers
            return SourceState(int(found["Content-Length"]), found["ETag"], found["x-ms-blob-type"])

    async def open(self, window: ByteRange | None) -> aiohttp.ClientResponse:
        """Return the answer to reading a window, or everything, its body unread."""
        answer = await self._get(self.target, window, self._conditions)
        if not answer.ok or answer.status in UNFULFILLED:
            async with answer:
                _demand_success(answer, await answer.read())
        return answer

    async def _get(
        self, target: Target, window: ByteRange | None, conditions: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        headers = CIMultiDict({"x-ms-version": API_VERSION, **conditions})
        if window is not None:
            headers["x-ms-range"] = window.header
        return await self._backend.send("GET", target, headers, key=self._key)


def find_source(
    headers: Mapping[str, str], host: str, gate: Gate, backend: Backend, *, own: BlobAccount | None = None
) -> Source:
    """Return the source that the headers of a copy name, once it is clear that the caller may read it.

    :param host: the `Host` header: the emulator copies from its own accounts only
    :param own: account whose blobs the caller may read without any further right
    """
    url = headers["x-ms-copy-source"]
    if not is_own_address(url, host):
        raise unverified(404, "ResourceNotFound", f"The emulator copies from its own accounts only, not from {url!r}.")
    target = target_of_url(url)
    conditions = {condition: headers[name] for name, condition in CONDITIONS.items() if name in headers}
    if own is not None and own.name == target.account and not target.has_sas:
        return Source(backend, target, own.keys[0], conditions)
    try:
        access = gate.admit("GET", target, headers.get("x-ms-copy-source-authorization"))
    except StorageError as refusal:
        raise unverified(refusal.status, refusal.code, refusal.message) from refusal
    key = access.account.keys[0] if access.credential is Credential.BEARER else None
    return Source(backend, target, key, conditions)


def is_own_address(url: str, host: str) -> bool:
    """Whether `url` leads to the endpoint that was asked as `host`; every loopback name is the same one."""
    try:
        asked, named = urlsplit(f"//{host}"), urlsplit(url)
        is_same_port = asked.port == named.port
    except ValueError:  # no address at all
        return False
    return is_same_port and (asked.hostname == named.hostname or {asked.hostname, named.hostname} <= LOOPBACK_HOSTS)


def unverified(status: int, code: str, message: str) -> StorageError:
    """Return the service's refusal of a copy whose source refused."""
    headers = {"x-ms-copy-source-status-code": str(status), "x-ms-copy-source-error-code": code}
    return StorageError(status, "CannotVerifyCopySource", message, headers=headers)


def _demand_success(answer: aiohttp.ClientResponse, body: bytes) -> None:
    if answer.status in UNFULFILLED:
        message = "The source condition specified using HTTP conditional header(s) is not met."
        raise StorageError(412, "SourceConditionNotMet", message)
    if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _outside_of_source()
    if not answer.ok:
        code = answer.headers.get(ERROR_CODE) or code_of(answer.status, body)
        raise unverified(answer.status, code, "Could not verify the copy source within the specified time.")


def _outside_of_source() -> StorageError:
    return StorageError(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
