"""Routes: which function answers which method and path, whatever the casing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aib_emulator.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from aib_emulator.arm.call import Answer, Call

    Handler = Callable[[Call], Awaitable[Answer]]

SUBSCRIPTION = "/subscriptions/{subscription_id}"
GROUP = SUBSCRIPTION + "/resourceGroups/{resource_group_name}"
SCOPE = "{scope*}"
"""A subscription, a group or a resource of any kind."""


@dataclass(frozen=True)
class Route:
    """Let `handle` answer `method` on `path`.

    :param method: in upper case
    :param path: with named parts in braces, each of one segment; `{scope*}` is of several
    :param handle: answers the call
    :param action: what the caller must be permitted at the place that the path names, which may hold named parts of
        the path; empty where nobody asks
    :param is_for_anywhere: whether it is enough that the caller is permitted that at any place
    :param needs_token: whether a valid bearer token must come along
    :param needs_api_version: whether an api-version must come along
    :param is_sign_in: whether the caller names itself in a form that it sends
    """

    method: str
    path: str
    handle: Handler
    action: str = ""
    is_for_anywhere: bool = False
    needs_token: bool = True
    needs_api_version: bool = True
    is_sign_in: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression that matches its paths."""
        parts = re.split(r"\{(\w+\*?)\}", self.path)
        expression = "".join(_named(part) if index % 2 else re.escape(part) for index, part in enumerate(parts))
        return re.compile(expression + "/?", re.IGNORECASE)


@dataclass(frozen=True)
class Match:
    """Say which route fits a call.

    :param route: None when there is none
    :param parameters: the named parts of the path
    :param is_known_path: whether the path is served, be it with another method
    """

    method: str
    path: str
    route: Route | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    is_known_path: bool = False

    @property
    def call(self) -> str:
        """Method and path with its names in braces: the same for all calls of a kind."""
        return f"{self.method} {self.route.path}" if self.route is not None else f"{self.method} (not served)"

    @property
    def is_sign_in(self) -> bool:
        """Whether a token is asked for."""
        return self.route is not None and self.route.is_sign_in

    def demand(self) -> tuple[Route, dict[str, str]]:
        """Return the route and the named parts of the path, or raise what ARM answers."""
        if self.route is not None:
            return self.route, self.parameters
        if self.is_known_path:
            message = f"The HTTP method '{self.method}' is not supported at path '{self.path}'."
            raise ArmError(405, "MethodNotAllowed", message)
        message = f"The emulator serves nothing at path '{self.path}' for {self.method}."
        raise ArmError(404, "InvalidResourceType", message)


class Router:
    """Find the route of a call.

    :param routes: in the order of their precedence
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)

    def match(self, method: str, path: str) -> Match:
        """Return what fits a call."""
        is_known_path = False
        for route in self.routes:
            found = route.pattern.fullmatch(path)
            if found and route.method == method:
                return Match(method, path, route, found.groupdict())
            is_known_path = is_known_path or found is not None
        return Match(method, path, is_known_path=is_known_path)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and the named parts of the path, or raise what ARM answers."""
        return self.match(method, path).demand()


def _named(part: str) -> str:
    return f"(?P<{part[:-1]}>.+)" if part.endswith("*") else f"(?P<{part}>[^/]+)"


def normalise_path(path: str) -> str:
    """Return `path` with single slashes: some clients write two before a type."""
    return re.sub(r"/{2,}", "/", path)
