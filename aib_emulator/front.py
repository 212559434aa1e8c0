"""The front door: HTTP in, routes' answers out, with what is common to every call."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from aib_emulator.arm.api_version import check_api_version
from aib_emulator.arm.authorization import demand_rights
from aib_emulator.arm.body_style import BodyStyle, encode
from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import NO_RESPONSE, ArmError, resource_group_being_deleted, resource_group_not_found
from aib_emulator.arm.resource_id import ResourceId, ResourceIdError
from aib_emulator.arm.route import Match, Route, Router, normalise_path
from aib_emulator.arm.throttling import usual_headers
from aib_emulator.arm.time_format import stamp_text
from aib_emulator.bearer import verified_claims
from aib_emulator.caller import caller_of
from aib_emulator.clock import date_header
from aib_emulator.content import LARGEST_BODY, Content
from aib_emulator.faults import answer_under
from aib_emulator.request_record import RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aib_emulator.caller import Caller
    from aib_emulator.faults import Fault
    from aib_emulator.world import World

log = logging.getLogger(__name__)

CONTROL = "/_emulator"
KEEP_ALIVE = 90.0
"""Seconds; clients keep connections between polls, and a POST on one that is being closed is lost."""
COMMON_HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Cache": "CONFIG_NOCACHE",
}
EDGE = "EMU000000000001"
PLANNED_FAULT = ("PlannedFault", "A fault that was planned at the control door.")
USUAL_FAULTS = {
    429: ("TooManyRequests", "The request is being throttled as the limit has been reached for operation type."),
    504: ("GatewayTimeout", NO_RESPONSE),
}
"""Code and message by status; that of 504 was reported of a run."""


class Front:
    """Answer every HTTP call to Resource Manager, Entra and the control door.

    :param world: what the services share
    :param routes: of every service
    """

    def __init__(self, world: World, routes: Iterable[Route]) -> None:
        self._world = world
        self._router = Router(routes)
        world.send = self.send

    def application(self) -> web.Application:
        """Return the aiohttp application to serve."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._serve)
        application.on_response_prepare.append(self._finish_headers)
        return application

    async def send(self, call: Call) -> Answer:
        """Answer a call that another service makes on behalf of a caller, whose claims it carries."""
        route, parameters = self._router.find(call.method, normalise_path(call.path))
        known = replace(call, parameters=parameters)
        return await self._dispatch(route, known, _scope_of(known))

    async def _finish_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        # The service's answers have carried no Server header since mid 2023.
        response.headers.pop("Server", None)
        response.headers["Date"] = date_header(self._world.clock.now())

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = normalise_path(request.path)
        match = self._router.match(request.method, path)
        content = Content(request)
        if path.lower().startswith(CONTROL):
            return await self._answer(request, match, content)
        caller = caller_of(request.headers, await content.form() if match.is_sign_in else b"")
        fault = self._world.faults.strike(request.method, path, caller)
        carry_out = partial(self._answer, request, match, content)
        response = await (carry_out() if fault is None else answer_under(fault, request, carry_out, _planned_answer))
        self._record(request, match, caller, fault, response)
        return response

    async def _answer(self, request: web.Request, match: Match, content: Content) -> web.Response:
        object_id, limits = self._world.settings.client_object_id, usual_headers(request.method)
        try:
            # Read first of all: who is refused half-way through sending never reads the refusal.
            route, call = self._read(request, match, await content.read())
            scope = _scope_of(call)
            if route.needs_token:
                object_id = _principal_of(call)
                limits = self._take(call, scope)
            with self._world.keeper.at_the_end():
                answer = await self._dispatch(route, call, scope)
        except ArmError as error:
            answer = Answer(error.status, error.to_json(), error.headers, error.style)
        except Exception:
            log.exception("%s %s could not be answered", request.method, match.path)
            answer = Answer(500, ArmError(500, "InternalServerError", "The emulator failed; see its log.").to_json())
        response = self._write(request, answer, {**limits, **self._identifier(object_id)})
        if content.is_refused:
            response.force_close()
        return response

    def _read(self, request: web.Request, match: Match, body: bytes) -> tuple[Route, Call]:
        route, parameters = match.demand()
        call = Call(
            method=request.method,
            path=match.path,
            parameters=parameters,
            query={name.lower(): value for name, value in request.query.items()},
            headers=request.headers,
            body=body,
            base_url=f"https://{request.host}",
        )
        if route.needs_token:
            claims = verified_claims(call, self._world.tokens, self._world.settings.tenant_id)
            call = replace(call, claims=claims)
        return route, call

    async def _dispatch(self, route: Route, call: Call, scope: ResourceId | None) -> Answer:
        if route.needs_api_version:
            check_api_version(call.api_version)
        self._check_subscription(scope)
        demand_rights(self._world.access, route, call)
        self._check_group(scope, call)
        return await route.handle(call)

    def _take(self, call: Call, scope: ResourceId | None) -> dict[str, str]:
        return self._world.throttle.take(
            call.method,
            subscription_id=None if scope is None else scope.subscription_id,
            principal=_principal_of(call),
            now=self._world.clock.now(),
        )

    def _check_subscription(self, scope: ResourceId | None) -> None:
        if scope is not None and scope.subscription_id.lower() != self._world.settings.subscription_id.lower():
            message = f"The subscription '{scope.subscription_id}' could not be found."
            raise ArmError(404, "SubscriptionNotFound", message)

    def _check_group(self, scope: ResourceId | None, call: Call) -> None:
        if scope is None or scope.resource_group_name is None:
            return
        name = scope.resource_group_name
        group = self._world.store.get(scope.group)
        if group is not None and call.method in {"PUT", "PATCH"} and self._world.is_being_deleted(group):
            raise resource_group_being_deleted(name)
        is_group_itself = call.path.rstrip("/").lower().endswith(f"/resourcegroups/{name.lower()}")
        if group is None and not is_group_itself:
            raise resource_group_not_found(name)

    def _write(self, request: web.Request, answer: Answer, about: Mapping[str, str]) -> web.Response:
        response = web.Response(status=answer.status, headers={**self._common_headers(request, answer), **about})
        response.headers.update(answer.headers)
        if answer.body is not None:
            response.body, content_type = encode(answer.body, answer.style)
            response.headers["Content-Type"] = content_type
        return response

    def _common_headers(self, request: web.Request, answer: Answer) -> dict[str, str]:
        correlation_id = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
        region, now = self._world.settings.location.upper(), self._world.clock.now()
        return {
            **COMMON_HEADERS,
            "x-ms-request-id": answer.operation_id or str(uuid.uuid4()),
            "x-ms-correlation-request-id": correlation_id,
            "X-MSEdge-Ref": f"Ref A: {uuid.uuid4().hex.upper()} Ref B: {EDGE} Ref C: {now:%Y-%m-%dT%H:%M:%SZ}",
            "x-ms-routing-request-id": f"{region}:{stamp_text(now)}:{correlation_id}",
        }

    def _identifier(self, object_id: str) -> dict[str, str]:
        settings = self._world.settings
        who = f"tenantId={settings.tenant_id},objectId={object_id}"
        return {"x-ms-operation-identifier": f"{who}/{settings.location}/{uuid.uuid4()}"}

    def _record(
        self, request: web.Request, match: Match, caller: Caller, fault: Fault | None, response: web.StreamResponse
    ) -> None:
        recorded = RecordedRequest(
            method=request.method,
            path=match.path,
            client=caller.user_agent,
            status=response.status,
            time=self._world.clock.now().isoformat(),
            call=match.call,
            application_id=caller.application_id,
            fault_id=fault.fault_id if fault else None,
        )
        connection = request.get_extra_info("ssl_object")
        self._world.requests.add(recorded, connection, is_sign_in=match.is_sign_in)


def _principal_of(call: Call) -> str:
    return str(call.claims.get("oid", ""))


def _scope_of(call: Call) -> ResourceId | None:
    """Return the subscription, group or resource that a call is about; None for one about the tenant."""
    text = call.parameters.get("scope")
    if text is None:
        subscription_id = call.parameters.get("subscription_id")
        return ResourceId(subscription_id, call.parameters.get("resource_group_name")) if subscription_id else None
    try:
        return ResourceId.parse(text)
    except ResourceIdError as error:
        message = f"The scope '{text}' is not one of a subscription, resource group or resource."
        raise ArmError(404, "InvalidScope", message) from error


def _planned_answer(fault: Fault) -> web.Response:
    body = fault.body
    if body is None:
        body = ArmError(fault.status, *USUAL_FAULTS.get(fault.status, PLANNED_FAULT)).to_json()
    if isinstance(body, str):
        return web.Response(status=fault.status, text=body, headers=fault.answer_headers())
    content, content_type = encode(body, BodyStyle.ARM)
    headers = {"Content-Type": content_type, **fault.answer_headers()}
    return web.Response(status=fault.status, body=content, headers=headers)
