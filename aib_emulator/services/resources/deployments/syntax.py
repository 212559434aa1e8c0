"""Reads the expressions of a deployment's document: `[concat(parameters('name'), '-vhd')]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = re.compile(r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()\[\].,]))\s*")
DEEPEST = 60
"""How far brackets may be nested."""


class ExpressionError(ValueError):
    """An expression cannot be read or evaluated; the text is ARM's."""


@dataclass(frozen=True)
class Literal:
    """Stand for a text or a number."""

    value: Any


@dataclass(frozen=True)
class Invoke:
    """Stand for a call of a function.

    :param name: as it was written
    :param arguments: each a node
    """

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Member:
    """Stand for a part of a value: `.name` or `[index]`.

    :param whole: what it is a part of
    :param key: gives the name or the index
    """

    whole: Node
    key: Node


Node = Literal | Invoke | Member


def is_expression(text: str) -> bool:
    """Whether a text of the document is an expression; `[[` begins a text with a bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def parse(text: str) -> Node:
    """Return the tree of an expression, given with its brackets."""
    return _Reader(text).whole()


def invocations(node: Node) -> Iterator[Invoke]:
    """Yield every call of a function in an expression, the inner ones first."""
    parts = node.arguments if isinstance(node, Invoke) else ()
    if isinstance(node, Member):
        parts = (node.whole, node.key)
    for part in parts:
        yield from invocations(part)
    if isinstance(node, Invoke):
        yield node


class _Reader:
    """Read one expression from left to right.

    :param text: with its brackets
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._value()
        if self._at < len(self._tokens):
            raise self._invalid()
        return node

    def _value(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._invalid()
        node = self._primary()
        while self._next_is(".") or self._next_is("["):
            node = self._member(node)
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        kind, text = self._take()
        if kind == "text":
            return Literal(text.replace("''", "'"))
        if kind == "number":
            return Literal(int(text))
        if kind == "name" and self._next_is("("):
            return Invoke(text, self._arguments())
        raise self._invalid()

    def _arguments(self) -> tuple[Node, ...]:
        self._take()
        found: list[Node] = []
        if not self._next_is(")"):
            found.append(self._value())
        while self._next_is(","):
            self._take()
            found.append(self._value())
        self._demand(")")
        return tuple(found)

    def _member(self, whole: Node) -> Node:
        _, mark = self._take()
        if mark == ".":
            kind, name = self._take()
            if kind != "name":
                raise self._invalid()
            return Member(whole, Literal(name))
        key = self._value()
        self._demand("]")
        return Member(whole, key)

    def _next_is(self, mark: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)

    def _demand(self, mark: str) -> None:
        if self._take() != ("mark", mark):
            raise self._invalid()

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._invalid()
        self._at += 1
        return self._tokens[self._at - 1]

    def _invalid(self) -> ExpressionError:
        return _invalid(self._text)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    inner, at = text[1:-1], 0
    while at < len(inner):
        match = TOKEN.match(inner, at)
        if match is None or match.lastgroup is None:
            raise _invalid(text)
        yield match.lastgroup, match[match.lastgroup]
        at = match.end()


def _invalid(text: str) -> ExpressionError:
    return ExpressionError(
        f"Unable to parse language expression '{text[1:-1]}'. "
        "Please see https://aka.ms/arm-functions for usage details."
    )
