"""Describes what the emulator serves as an OpenAPI document, from the tables of routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aib_emulator.arm.route import Route

PART = re.compile(r"\{(\w+)\*?\}")
WITH_BODY = frozenset({"PUT", "PATCH", "POST"})
BEARER = "bearer"


def openapi(routes: Iterable[Route], server_url: str = "https://localhost") -> dict[str, Any]:
    """Return the OpenAPI 3 document of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = PART.sub(r"{\1}", route.path)
        paths.setdefault(path if path.startswith("/") else f"/{path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.0.3",
        "info": {"title": "aib-emulator", "version": "1", "description": "A local Azure for image builds."},
        "servers": [{"url": server_url}],
        "components": {"securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


def _operation(route: Route) -> dict[str, Any]:
    parameters = [_path_parameter(name) for name in PART.findall(route.path)]
    if route.needs_api_version:
        parameters.append({"name": "api-version", "in": "query", "required": True, "schema": {"type": "string"}})
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}_{route.path}").strip("_"),
        "summary": (route.handle.__doc__ or route.action or f"{route.method} {route.path}").strip().partition("\n")[0],
        "parameters": parameters,
        "responses": {"default": {"description": "What the service answers, or its error."}},
    }
    if route.action:
        described["x-action"] = route.action
    if route.needs_token:
        described["security"] = [{BEARER: []}]
    if route.method in WITH_BODY:
        described["requestBody"] = {"content": {_content_type(route): {"schema": {"type": "object"}}}}
    return described


def _content_type(route: Route) -> str:
    return "application/x-www-form-urlencoded" if "/oauth2/" in route.path else "application/json"


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
