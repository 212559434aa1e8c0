"""Notes every call to the blob endpoint, and lets planned faults strike."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from aib_emulator.blob_front.errors import StorageError, code_of, error_response
from aib_emulator.blob_front.forward import NO_STREAM
from aib_emulator.blob_front.rate_limits import request_volume
from aib_emulator.blob_front.target import Target
from aib_emulator.caller import caller_of
from aib_emulator.faults import answer_under
from aib_emulator.request_record import RecordedRequest

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from aib_emulator.clock import Clock
    from aib_emulator.faults import Fault, Faults
    from aib_emulator.request_record import RequestRecord


def traffic_middleware(faults: Faults, requests: RequestRecord, clock: Clock) -> Middleware:
    """Return the middleware that stands before everything else."""

    @web.middleware
    async def traffic(request: web.Request, handler: Handler) -> web.StreamResponse:
        caller, connection = caller_of(request.headers), request.get_extra_info("ssl_object")
        fault = faults.strike(request.method, request.path, caller)
        if fault is None:
            response = await handler(request)
        else:
            planned = partial(_planned_answer, request, clock)
            response = await answer_under(fault, request, partial(_whole, handler, request), planned)
        recorded = RecordedRequest(
            method=request.method,
            path=request.path,
            client=caller.user_agent,
            status=response.status,
            time=clock.now().isoformat(),
            call=_call(request),
            application_id=caller.application_id,
            endpoint="blob",
            fault_id=fault.fault_id if fault else None,
            volume=request_volume(request.headers),
        )
        requests.add(recorded, connection)
        return response

    return traffic


def _call(request: web.Request) -> str:
    """Return method and path with its names in braces, and the words of the query that say what is asked."""
    target = Target(request.raw_path)
    names = [name for name in ("account", "container", "blob") if getattr(target, name)]
    asked = [f"{word}={target.query[word]}" for word in ("restype", "comp") if word in target.query]
    query = f"?{'&'.join(asked)}" if asked else ""
    return f"{request.method} /{'/'.join(f'{{{name}}}' for name in names)}{query}"


async def _whole(handler: Handler, request: web.Request) -> web.StreamResponse:
    token = NO_STREAM.set(True)  # an answer that is on its way cannot be spoilt any more
    try:
        return await handler(request)
    finally:
        NO_STREAM.reset(token)


def _planned_answer(request: web.Request, clock: Clock, fault: Fault) -> web.Response:
    if fault.body is not None:
        body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        return web.Response(status=fault.status, text=body, headers=fault.answer_headers())
    planned = "A fault that was planned at the control door."
    error = StorageError(fault.status, code_of(fault.status, b""), planned, headers=fault.answer_headers())
    return error_response(error, request, clock.now())
