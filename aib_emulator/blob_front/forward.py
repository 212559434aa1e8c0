"""Passes requests on to Azurite and its answers back, byte for byte."""

from __future__ import annotations

from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from aib_emulator.blob_front.access import Credential
from aib_emulator.blob_front.errors import ERROR_CODE, code_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aib_emulator.blob_front.access import Access
    from aib_emulator.blob_front.backend import Backend
    from aib_emulator.blob_front.target import Target

HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
OWN_HEADERS = "aib-"
"""What headers begin with that the front sends to Azurite, and takes from nobody."""
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
STREAMED_ABOVE = 1024 * 1024
NO_STREAM = ContextVar("no_stream", default=False)
"""Set while a call is carried out whose answer is wanted as a whole."""


def forwarded_headers(request: web.Request) -> CIMultiDict[str]:
    """Return the headers of a request, casing and all, without those of its connection and those for Azurite only."""
    decoded = (
        (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in request.raw_headers
    )
    return CIMultiDict((name, value) for name, value in decoded if _passes(name.lower()))


def _passes(name: str) -> bool:
    return name not in HOP_BY_HOP and not name.startswith(OWN_HEADERS)


async def forward(
    request: web.Request, target: Target, access: Access, backend: Backend, body: bytes | None = None
) -> web.StreamResponse:
    """Let Azurite answer; a bearer's request is signed with the account key, for Azurite knows no tokens.

    :param body: of the request, where it was read already
    """
    headers = forwarded_headers(request)
    key = None
    if access.credential is Credential.BEARER:
        headers.popall("Authorization")
        key = access.account.keys[0]
    content = request.content if body is None and request.can_read_body else body
    return await relay(request, await backend.send(request.method, target, headers, content, key=key))


async def relay(
    request: web.Request, answer: aiohttp.ClientResponse, *, without: Iterable[str] = ()
) -> web.StreamResponse:
    """Pass an answer on; large bodies stream, and an error without a code gets one, since clients decide by it.

    :param without: headers to leave out
    """
    async with answer:
        kept = ((name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP)
        headers = CIMultiDict(kept)
        for name in without:
            headers.popall(name, None)
        if request.method == "HEAD" or answer.status in BODILESS:
            return _without_body(answer, headers)
        if answer.ok and _is_large(answer) and not NO_STREAM.get():
            return await _stream(request, answer, headers)
        body = await answer.read()
        if not answer.ok and ERROR_CODE not in headers:
            headers[ERROR_CODE] = code_of(answer.status, body)
        headers.popall("Content-Length", None)
        return web.Response(status=answer.status, headers=headers, body=body)


def _without_body(answer: aiohttp.ClientResponse, headers: CIMultiDict[str]) -> web.Response:
    if not answer.ok and ERROR_CODE not in headers:
        headers[ERROR_CODE] = code_of(answer.status, b"")
    return web.Response(status=answer.status, headers=headers)


def _is_large(answer: aiohttp.ClientResponse) -> bool:
    length = answer.headers.get("Content-Length")
    return length is None or int(length) > STREAMED_ABOVE


async def _stream(
    request: web.Request, answer: aiohttp.ClientResponse, headers: CIMultiDict[str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except aiohttp.ClientError:
        # It is too late for an error answer: only a broken connection tells the client that something is missing.
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response
