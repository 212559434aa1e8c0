"""The blob endpoint as an aiohttp application: each request is let in, then answered here or by Azurite."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from aib_emulator.blob_front.access import READING_METHODS, Credential, Gate, raise_refusal
from aib_emulator.blob_front.delegation import asks_for_delegation_key, delegation_key
from aib_emulator.blob_front.errors import ERROR_CODE, StorageError, error_response
from aib_emulator.blob_front.forward import forward
from aib_emulator.blob_front.from_url import CopyParts, copier_for, copy_from_url
from aib_emulator.blob_front.page_limits import check_page_request
from aib_emulator.blob_front.rate_limits import request_volume
from aib_emulator.blob_front.readable import LARGEST_BLOCK_LIST, demand_block_list, demand_readable, lists_blocks
from aib_emulator.blob_front.target import Target
from aib_emulator.clock import date_header, real_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiohttp.typedefs import Handler, Middleware

    from aib_emulator.blob_front.access import Access, Accounts, DataRoles, GateSettings
    from aib_emulator.blob_front.backend import Backend
    from aib_emulator.blob_front.pending_copies import PendingCopies
    from aib_emulator.blob_front.rate_limits import RateLimiter
    from aib_emulator.clock import Clock
    from aib_emulator.tokens import TokenAuthority

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrontParts:
    """What the blob endpoint works with.

    :param azurite_url: where Azurite listens
    :param accounts: the storage accounts there are
    :param tokens: checks bearer tokens
    :param roles: which principal may do what
    :param gate_settings: what else decides who gets in
    :param clock: the emulated time
    :param backend: sends requests to Azurite
    :param copies: those that take their time
    :param limiter: how much one blob bears
    """

    azurite_url: str
    accounts: Accounts
    tokens: TokenAuthority
    roles: DataRoles
    gate_settings: GateSettings
    clock: Clock
    backend: Backend
    copies: PendingCopies
    limiter: RateLimiter


def blob_front(parts: FrontParts, middlewares: Sequence[Middleware] = ()) -> web.Application:
    """Return the application; it opens its connections to Azurite when it starts."""
    front = _Front(parts)
    app = web.Application(middlewares=[*middlewares, _error_writer(parts.clock)], client_max_size=LARGEST_BLOCK_LIST)
    app.router.add_route("*", "/{target:.*}", front.answer)
    app.on_response_prepare.append(front.date)
    app.cleanup_ctx.append(front.connections)
    return app


class _Front:
    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts
        self._backend = parts.backend
        self._gate = Gate(parts.accounts, parts.tokens, parts.roles, parts.gate_settings)
        self._copy_parts = CopyParts(self._gate, parts.backend, parts.copies)

    async def connections(self, _: web.Application) -> AsyncIterator[None]:
        await self._backend.open(self._parts.azurite_url)
        yield
        await self._backend.close()

    async def date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = date_header(self._parts.clock.now())

    async def answer(self, request: web.Request) -> web.StreamResponse:
        target = Target(request.raw_path)
        demand_readable(request.method, target, request.headers)
        if asks_for_delegation_key(request.method, target):  # a POST that a reader may send
            return await self._delegation_key(request, self._admit(request, target, "GET"))
        access = self._admit(request, target, request.method)
        self._demand_private_container(request, access)
        check_page_request(request.method, target, request.headers)
        self._parts.limiter.admit(target, request_volume(request.headers), self._parts.clock.now())
        await self._parts.copies.settle()
        self._parts.copies.demand_none(request.method, target)
        response = await self._carry_out(request, target, access)
        if request.method not in READING_METHODS:
            await self._parts.copies.settle()  # it may have been the source of one
        if response.headers.get(ERROR_CODE) == "AuthorizationFailure":
            raise_refusal(access.credential, request.headers.get("x-ms-version", ""), self._gate.challenge())
        return response

    def _admit(self, request: web.Request, target: Target, method: str) -> Access:
        return self._gate.admit(method, target, request.headers.get("Authorization"), address=request.remote)

    async def _carry_out(self, request: web.Request, target: Target, access: Access) -> web.StreamResponse:
        copier = copier_for(request.method, target, request.headers)
        if copier is not None:
            return await copy_from_url(copier, request, target, access, self._copy_parts)
        body = None
        if lists_blocks(request.method, target):
            body = await _read_block_list(request)
        response = await forward(request, target, access, self._backend, body)
        if response.status == HTTPStatus.NO_CONTENT and target.query.get("comp") == "copy":
            await self._parts.copies.abort(target)
        return response

    async def _delegation_key(self, request: web.Request, access: Access) -> web.Response:
        if access.credential is not Credential.BEARER:
            message = "Only authentication scheme Bearer is supported."
            raise StorageError(403, "AuthenticationFailed", message)
        seed = self._parts.gate_settings.delegation_seed
        body = delegation_key(await request.read(), access.claims, seed, real_now())
        return web.Response(body=body, content_type="application/xml")

    def _demand_private_container(self, request: web.Request, access: Access) -> None:
        if "x-ms-blob-public-access" in request.headers and not access.account.allows_public_access:
            message = "Public access is not permitted on this storage account."
            raise StorageError(409, "PublicAccessNotPermitted", message)


async def _read_block_list(request: web.Request) -> bytes:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        message = "The request body is too large and exceeds the maximum permissible limit."
        raise StorageError(413, "RequestBodyTooLarge", message) from error
    demand_block_list(body)
    return body


def _error_writer(clock: Clock) -> Middleware:
    @web.middleware
    async def write_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except StorageError as error:
            return error_response(error, request, clock.now())
        except (aiohttp.ClientConnectionError, ChildProcessError) as error:
            busy = StorageError(503, "ServerBusy", f"Azurite cannot be reached: {error}")
            return error_response(busy, request, clock.now())
        except Exception:
            log.exception("%s %s could not be answered", request.method, request.path)
            failed = StorageError(500, "InternalError", "The emulator failed; see its log.")
            return error_response(failed, request, clock.now())

    return write_errors
