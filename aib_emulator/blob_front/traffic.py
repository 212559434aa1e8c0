"""Notes every call to the blob endpoint, and lets planned faults strike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from aib_emulator.blob_front.access import READING_METHODS
from aib_emulator.blob_front.errors import StorageError, code_of, error_response
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
        fault = faults.strike(request.method, request.path)
        if fault is None:
            response = await handler(request)
        else:
            if fault.moment == "after" and request.method not in READING_METHODS:
                # Reading has no effect, and a large answer would be on its way to the client already.
                await handler(request)
            response = _faulty(request, fault, clock)
        was_dropped = fault is not None and fault.action == "reset"
        requests.add(
            RecordedRequest(
                method=request.method,
                path=request.path,
                client=request.headers.get("User-Agent", ""),
                status=0 if was_dropped else response.status,
                time=clock.now().isoformat(),
                endpoint="blob",
                fault_id=fault.fault_id if fault else None,
            )
        )
        return response

    return traffic


def _faulty(request: web.Request, fault: Fault, clock: Clock) -> web.StreamResponse:
    if fault.action == "reset":
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    if fault.body is not None:
        body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        return web.Response(status=fault.status, text=body, headers=fault.headers)
    planned = "A fault that was planned at the control door."
    error = StorageError(fault.status, code_of(fault.status, b""), planned, headers=fault.headers)
    return error_response(error, request, clock.now())
