"""A call to Resource Manager and the answer to it, free of any HTTP library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from aib_emulator.arm.body_style import BodyStyle
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.shape import demand_shape, invalid_content

if TYPE_CHECKING:
    from collections.abc import Mapping


DEEPEST = 64
"""How many objects and lists may lie in each other; nothing that Azure documents comes near."""


def read_json(body: bytes) -> Any:
    """Return what a body says, None when it is empty; ValueError when it is no JSON, or goes too deep."""
    try:
        document = json.loads(body or b"null")
        msgspec.json.encode(document)  # fails with half a surrogate pair, which no answer can show
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    level, depth = [document], 0
    while level:
        level = [inner for outer in level for inner in _inside(outer)]
        depth += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
    return document


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


@dataclass(frozen=True)
class Call:
    """Carry what a client asked.

    :param method: in upper case
    :param path: percent-decoded, with single slashes
    :param parameters: the named parts of the route's path, as the client wrote them
    :param query: the query, with its names in lower case
    :param headers: the headers, looked up in any casing
    :param body: the bytes of the body
    :param base_url: scheme, host and port as the client wrote them
    :param claims: what the verified token says; empty when the route needs none
    """

    method: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = "https://localhost"
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        """The api-version that the client asked for; the front door has checked that there is one."""
        return self.query.get("api-version", "")

    def json(self, shape: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the body, which must be a JSON object.

        :param shape: which kinds of JSON its members must be, as `demand_shape` takes it
        """
        try:
            document = read_json(self.body)
        except ValueError as error:
            raise invalid_content(str(error)) from error
        if not isinstance(document, dict):
            raise ArmError(400, "InvalidRequestContent", "The request content is not a JSON object.")
        demand_shape(document, shape or {})
        return document


@dataclass(frozen=True)
class Answer:
    """Carry what a client gets back.

    :param status: the HTTP status
    :param body: JSON to write; None sends none
    :param headers: headers besides those that every answer has
    :param style: how the JSON is written
    :param operation_id: the operation that the call started; it becomes the `x-ms-request-id`
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    style: BodyStyle = BodyStyle.ARM
    operation_id: str | None = None


def group_resource_id(call: Call, namespace: str, *path: str) -> ResourceId:
    """Return the id of a resource in the subscription and group that the call's path names."""
    return ResourceId(call.parameters["subscription_id"], call.parameters.get("resource_group_name"), namespace, path)
