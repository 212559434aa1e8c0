"""Carries a fault out on a call: answers badly, late, drop by drop, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import CIMultiDict

from aib_emulator.faults.fault import AFTER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aib_emulator.faults.fault import Fault

    Spoiler = Callable[[web.Request, web.Response, Fault], Awaitable[web.StreamResponse]]

DROP_SECONDS = 0.05
"""How long a drip pauses between two pieces."""
MISSING = 64
"""How many bytes are announced and never sent of an answer that has no body."""
DROPPED = 0
"""What the record shows in place of a status when nothing was answered."""
BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


async def answer_under(
    fault: Fault,
    request: web.Request,
    carry_out: Callable[[], Awaitable[web.StreamResponse]],
    planned: Callable[[Fault], web.Response],
) -> web.StreamResponse:
    """Answer a call that a fault has struck.

    :param carry_out: carries the call out, and returns its true answer
    :param planned: returns the answer that the fault itself names
    """
    if fault.action == "delay":
        return await _delayed(fault, carry_out)
    answer = await carry_out() if fault.moment == AFTER else planned(fault)
    if fault.action == "reset":
        return _dropped(request)
    if fault.action == "status" or not isinstance(answer, web.Response):
        return planned(fault)
    return await SPOILERS[fault.action](request, answer, fault)


async def _delayed(fault: Fault, carry_out: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    if fault.moment == AFTER:
        answer = await carry_out()
        await asyncio.sleep(fault.seconds)
        return answer
    await asyncio.sleep(fault.seconds)
    return await carry_out()


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=DROPPED)


async def _malformed(_: web.Request, answer: web.Response, fault: Fault) -> web.StreamResponse:
    body = _body_of(answer)
    headers = _headers(answer, fault)
    return web.Response(status=answer.status, body=body[: len(body) // 2] + b"{<", headers=headers)


async def _truncated(request: web.Request, answer: web.Response, fault: Fault) -> web.StreamResponse:
    if request.method == "HEAD" or answer.status in BODILESS:
        return _dropped(request)  # there is no body to cut
    body = _body_of(answer)
    headers = _headers(answer, fault)
    headers["Content-Length"] = str(len(body) or MISSING)
    return await _sent(request, web.StreamResponse(status=answer.status, headers=headers), [body[: len(body) // 2]])


async def _dripping(request: web.Request, answer: web.Response, fault: Fault) -> web.StreamResponse:
    body = _body_of(answer)
    if request.method == "HEAD" or not body:
        return answer
    size = max(1, int(fault.bytes_per_second * DROP_SECONDS))
    pause = size / fault.bytes_per_second
    headers = _headers(answer, fault)
    headers["Content-Length"] = str(len(body))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return await _sent(request, web.StreamResponse(status=answer.status, headers=headers), pieces, pause)


async def _mislabelled(_: web.Request, answer: web.Response, fault: Fault) -> web.StreamResponse:
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.headers.update(fault.answer_headers())
    return answer


SPOILERS: dict[str, Spoiler] = {
    "malformed": _malformed,
    "truncated": _truncated,
    "drip": _dripping,
    "content-type": _mislabelled,
}
"""What each action makes of an answer."""


async def _sent(
    request: web.Request, response: web.StreamResponse, pieces: list[bytes], pause: float = 0.0
) -> web.StreamResponse:
    """Send pieces one after the other, and close the connection: it may hold less than was announced."""
    response.force_close()
    with contextlib.suppress(ConnectionError):  # a client that has gone has had enough
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(pause)
        await response.write_eof()
    return response


def _headers(answer: web.Response, fault: Fault) -> CIMultiDict[str]:
    headers = CIMultiDict(answer.headers)
    headers.popall("Content-Length", None)
    headers.update(fault.answer_headers())
    return headers


def _body_of(answer: web.Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b""
