"""ARM's copy loops: `"copy": [{"name": "customize", "count": 2, "input": {...}}]` stands for a list of that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.image_template.expressions.functions.values import kind_of
from airflow_aib.image_template.expressions.limits import MOST_COPIES, Budget, ExpressionError, size_of
from airflow_aib.image_template.unknown import is_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_COPY = "copy"


@dataclass(frozen=True)
class CopyLoop:
    """Hold one copy loop as it is written.

    :param name: of the member that it makes
    :param count: a number, or an expression that gives one
    :param input: what is filled in for each index
    """

    name: str
    count: Any
    input: Any


class LoopScope(Protocol):
    """Tell expressions which loops they stand in."""

    budget: Budget
    indexes: dict[str, int]


def is_loops(key: str, value: Any) -> bool:
    """Whether a member holds copy loops, and is not just called so, as a tag may be."""
    return key == _COPY and isinstance(value, list)


def loops_in(value: list[Any]) -> Iterator[CopyLoop]:
    """Give the loops that a member `copy` holds."""
    for loop in value:
        if not isinstance(loop, dict) or not isinstance(loop.get("name"), str) or not {"count", "input"} <= set(loop):
            raise ExpressionError("a copy loop has a name, a count and an input")
        yield CopyLoop(loop["name"], loop["count"], loop["input"])


def members_of(owner: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give an object's members, and each of its copy loops as a `CopyLoop` by the name of what it makes."""
    for key, item in owner.items():
        if is_loops(key, item):
            yield from ((loop.name, loop) for loop in loops_in(item))
        else:
            yield key, item


def unfolded(loop: CopyLoop, count: Any, fill: Callable[[Any, int], Any], scope: LoopScope) -> Any:
    """Give the list that a loop stands for; an unknown count gives an unknown.

    :param count: filled in already
    :param fill: fills the input in for an index, while `scope` knows that index
    """
    if is_unknown(count):
        return count
    if isinstance(count, bool) or not isinstance(count, int):
        raise ExpressionError(f"the copy loop {loop.name!r} needs an integer as count, not {kind_of(count)}")
    if not 0 <= count <= MOST_COPIES:
        raise ExpressionError(f"the copy loop {loop.name!r} may count from 0 to {MOST_COPIES}")
    outside = scope.indexes
    try:
        return [_copied(loop, index, fill, scope, outside) for index in range(count)]
    finally:
        scope.indexes = outside


def _copied(
    loop: CopyLoop, index: int, fill: Callable[[Any, int], Any], scope: LoopScope, outside: dict[str, int]
) -> Any:
    scope.indexes = outside | {loop.name.casefold(): index}
    item = fill(loop.input, index)
    scope.budget.spend(size_of(item))
    return item
