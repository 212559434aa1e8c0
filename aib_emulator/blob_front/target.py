"""Reads the target of a blob request: which account, container and blob it is about. Nothing is re-encoded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDARY = "-secondary"


@dataclass(frozen=True)
class Target:
    """Say what a request is about.

    :param raw: path and query as they came, percent-encoding and all: signatures cover them.
    """

    raw: str

    @property
    def raw_path(self) -> str:
        """The path as it came."""
        return self.raw.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """The query as it came, without the question mark."""
        return self.raw.partition("?")[2]

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The decoded query, names in lower case."""
        return {name.lower(): value for name, value in parse_qsl(self.raw_query, keep_blank_values=True)}

    @property
    def account(self) -> str:
        """The storage account; the emulator's addresses are path-style."""
        return self._segments[0].removesuffix(SECONDARY)

    @property
    def container(self) -> str:
        """The container, or nothing."""
        return self._segments[1]

    @property
    def blob(self) -> str:
        """The name of the blob, decoded, or nothing."""
        return self._segments[2]

    @property
    def has_sas(self) -> bool:
        """Whether a shared access signature comes along."""
        return "sig" in self.query

    def with_query(self, addition: str) -> Target:
        """Return the target with a piece of query more."""
        return Target(f"{self.raw}{'&' if '?' in self.raw else '?'}{addition}")

    @cached_property
    def _segments(self) -> tuple[str, str, str]:
        parts = unquote(self.raw_path).removeprefix("/").split("/", 2)
        account, container, blob = (*parts, "", "")[:3]
        return account, container, blob


def target_of_url(url: str) -> Target:
    """Return the target of an absolute address."""
    parts = urlsplit(url)
    return Target(f"{parts.path}?{parts.query}" if parts.query else parts.path)
