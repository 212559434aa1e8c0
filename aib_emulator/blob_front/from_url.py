"""The calls that take their content from another blob; of these Azurite knows Copy Blob only."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multidict import CIMultiDict

from aib_emulator.blob_front.access import Credential
from aib_emulator.blob_front.copy_call import OWNERS, CopyCall
from aib_emulator.blob_front.crc64 import crc64
from aib_emulator.blob_front.errors import NOT_AUTHENTICATED, StorageError
from aib_emulator.blob_front.forward import forwarded_headers, relay
from aib_emulator.blob_front.page_limits import LONGEST_WRITE, PAGE
from aib_emulator.blob_front.page_ranges import ByteRange, read_range
from aib_emulator.blob_front.shared_key import is_signed
from aib_emulator.blob_front.source import API_VERSION, CONDITIONS, find_source
from aib_emulator.blob_front.target import Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import aiohttp
    from aiohttp import web

    from aib_emulator.blob_front.access import Access, Gate
    from aib_emulator.blob_front.backend import Backend
    from aib_emulator.blob_front.pending_copies import PendingCopies
    from aib_emulator.blob_front.source import Source, SourceState

    Write = tuple[dict[str, str], bytes]
    Copier = Callable[[CopyCall, Source], Awaitable[web.StreamResponse]]

COPY_HEADERS = ("x-ms-copy-source", "x-ms-source-")
DIGESTS = ("Content-MD5", "x-ms-content-crc64")
BLOB_PROPERTIES = {
    "Content-Type": "x-ms-blob-content-type",
    "Content-Encoding": "x-ms-blob-content-encoding",
    "Content-Language": "x-ms-blob-content-language",
    "Content-Disposition": "x-ms-blob-content-disposition",
    "Cache-Control": "x-ms-blob-cache-control",
}


@dataclass(frozen=True)
class CopyParts:
    """What copies work with.

    :param gate: decides who may read the source
    :param backend: Azurite
    :param copies: those that take their time
    """

    gate: Gate
    backend: Backend
    copies: PendingCopies


def copier_for(method: str, target: Target, headers: Mapping[str, str]) -> Copier | None:
    """Return what carries out the call, when its content is to come from another blob.

    :param headers: of the request, looked up in any casing.
    """
    if method != "PUT" or "x-ms-copy-source" not in headers:
        return None
    if "comp" in target.query:
        return COPIERS.get(target.query["comp"])
    return put_blob if "x-ms-blob-type" in headers else copy_blob


async def copy_from_url(
    copier: Copier, request: web.Request, target: Target, access: Access, parts: CopyParts
) -> web.StreamResponse:
    """Check both sides and let `copier` do its work."""
    if access.credential is Credential.SHARED_KEY:
        _demand_signature(request, target, access)
    is_owner = copier in {copy_blob, copy_increment} and access.credential in OWNERS
    source = find_source(
        request.headers, request.host, parts.gate, parts.backend, own=access.account if is_owner else None
    )
    headers = forwarded_headers(request)
    for name in [name for name in headers if name.lower().startswith(COPY_HEADERS)]:
        del headers[name]
    for name in ("Authorization", "Content-Length", "Content-MD5"):
        headers.pop(name, None)
    return await copier(CopyCall(request, target, access, parts.backend, parts.copies, headers), source)


async def put_page(call: CopyCall, source: Source) -> web.StreamResponse:
    """Put Page From URL: only what is allocated in the source is read and written, the rest is cleared."""
    wanted, destination = _page_ranges(call.request)
    call.headers.popall("Range", None)  # it would count as well as x-ms-range, which the writes below have
    pages = await source.pages(wanted)
    # All is read before anything is written: a source that fails half-way leaves the target as it was.
    contents = [(run, await source.read(run, pages.etag)) for run in pages.runs]
    await _check_digests(call.request, _laid_out(wanted, contents))
    distance = destination.offset - wanted.offset
    writes: list[Write] = [(_page_headers("update", run.moved(distance)), content) for run, content in contents]
    is_whole = pages.runs == [wanted]
    if not is_whole:
        writes.insert(0, (_page_headers("clear", destination), b""))
    answer = await _write_in_turn(call, writes)
    return await relay(call.request, answer, without=() if is_whole else DIGESTS)


async def put_part(call: CopyCall, source: Source) -> web.StreamResponse:
    """Put Block From URL and Append Block From URL: the range streams through."""
    window = read_range(call.request.headers.get("x-ms-source-range"))
    async with await source.open(window) as content:
        headers = {"Content-Length": content.headers["Content-Length"], **_source_digests(call.request)}
        return await relay(call.request, await call.put(headers, content.content))


async def put_blob(call: CopyCall, source: Source) -> web.StreamResponse:
    """Put Blob From URL: content and, unless told otherwise, properties are the source's."""
    async with await source.open(None) as content:
        headers = {"Content-Length": content.headers["Content-Length"], **_source_digests(call.request)}
        if call.request.headers.get("x-ms-copy-source-blob-properties", "true").lower() == "true":
            headers.update(_copied_properties(content.headers, call.headers))
        return await relay(call.request, await call.put(headers, content.content))


async def copy_blob(call: CopyCall, source: Source) -> web.StreamResponse:
    """Copy Blob and Copy Blob From URL, once it is clear that the source may be read; the latter takes no time."""
    state = await source.verify()
    await _demand_same_type(call, state)
    given = call.request.headers
    named = {name: given[name] for name in ("x-ms-copy-source", *CONDITIONS) if name in given}
    if given.get("x-ms-requires-sync", "").lower() == "true":
        return await relay(call.request, await call.put(named))
    return await relay(call.request, await call.copies.start(call, named, state))


async def _demand_same_type(call: CopyCall, source: SourceState) -> None:
    """Refuse to put a copy into the place of a blob of another type, which Azurite would."""
    headers = CIMultiDict({"x-ms-version": API_VERSION})
    plain, key = Target(call.target.raw_path), call.access.account.keys[0]
    async with await call.backend.send("HEAD", plain, headers, key=key) as answer:
        if answer.ok and answer.headers["x-ms-blob-type"] != source.blob_type:
            raise StorageError(409, "InvalidBlobType", "The blob type is invalid for this operation.")


async def copy_increment(call: CopyCall, source: Source) -> web.StreamResponse:
    """Incremental Copy Blob: Azurite, mended, copies the snapshot and takes one of the target."""
    await source.verify()
    return await relay(call.request, await call.put({"x-ms-copy-source": call.request.headers["x-ms-copy-source"]}))


COPIERS: dict[str, Copier] = {
    "page": put_page,
    "block": put_part,
    "appendblock": put_part,
    "incrementalcopy": copy_increment,
}


async def _write_in_turn(call: CopyCall, writes: Sequence[Write]) -> aiohttp.ClientResponse:
    """Send one write after the other until one is refused, and return the last answer."""
    first, *others = writes
    answer = await call.put(*first)
    for headers, content in others:
        if not answer.ok:
            break
        answer.release()
        answer = await call.put(headers, content, is_first=False)
    return answer


def _page_headers(action: str, pages: ByteRange) -> dict[str, str]:
    length = pages.length if action == "update" else 0
    return {"x-ms-page-write": action, "x-ms-range": pages.header, "Content-Length": str(length)}


def _page_ranges(request: web.Request) -> tuple[ByteRange, ByteRange]:
    """Return which range of the source goes to which range of the target."""
    source = read_range(request.headers.get("x-ms-source-range"))
    destination = read_range(request.headers.get("x-ms-range") or request.headers.get("Range"))
    if source is None or destination is None or source.length != destination.length:
        raise StorageError(400, "InvalidHeaderValue", "Source range and range must be given and of the same length.")
    if source.offset % PAGE:  # the rest has been checked as that of any write of pages
        raise StorageError(416, "InvalidPageRange", "The page range specified is invalid.")
    if source.length > LONGEST_WRITE:
        raise StorageError(413, "RequestBodyTooLarge", "The range is too large and exceeds 4 MiB.")
    return source, destination


def _laid_out(window: ByteRange, contents: Sequence[tuple[ByteRange, bytes]]) -> bytes:
    """Return a window of the source as it reads, its empty pages included."""
    if [run for run, _ in contents] == [window]:
        return contents[0][1]
    laid_out = bytearray(window.length)
    for run, content in contents:
        start = run.offset - window.offset
        laid_out[start : start + run.length] = content
    return bytes(laid_out)


async def _check_digests(request: web.Request, content: bytes) -> None:
    """Compare the source's range with the digests that the caller gave for it."""
    for name, (digest_of, code, word) in SOURCE_DIGESTS.items():
        expected = request.headers.get(name)
        if expected is None:
            continue
        if await asyncio.to_thread(digest_of, content) != expected:
            message = f"The {word} value specified in the request did not match with the one calculated by the server."
            raise StorageError(400, code, message)


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


SOURCE_DIGESTS = {
    "x-ms-source-content-md5": (_md5, "Md5Mismatch", "MD5"),
    "x-ms-source-content-crc64": (crc64, "Crc64Mismatch", "CRC64"),
}


def _copied_properties(source: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    return {name: source[plain] for plain, name in BLOB_PROPERTIES.items() if plain in source and name not in given}


def _source_digests(request: web.Request) -> dict[str, str]:
    """Let Azurite check the content that it gets against the digests that the caller gave for the source."""
    names = zip(SOURCE_DIGESTS, DIGESTS, strict=True)
    return {own: request.headers[name] for name, own in names if name in request.headers}


def _demand_signature(request: web.Request, target: Target, access: Access) -> None:
    """Check an account-key signature here: it covers headers that Azurite will not get to see."""
    headers = CIMultiDict(request.headers)
    if not is_signed(request.method, target, headers, access.account.keys):
        raise StorageError(403, "AuthenticationFailed", NOT_AUTHENTICATED)
