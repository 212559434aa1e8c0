"""JSON pointers (RFC 6901): how a place inside a document is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def escape(key: str) -> str:
    """Write a key as a JSON pointer has it."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(segment: str) -> str:
    """Read a key from a segment of a JSON pointer."""
    return segment.replace("~1", "/").replace("~0", "~")


def child(pointer: str, key: str | int) -> str:
    """Give the pointer of a member or item."""
    return f"{pointer}/{escape(key) if isinstance(key, str) else key}"


def parent(pointer: str) -> str:
    """Give the pointer of what holds it."""
    return pointer.rpartition("/")[0]


def resolve(value: Any, pointer: str) -> tuple[Any, bool]:
    """Follow a pointer as far as it goes; give what stands there, and whether it was followed to its end."""
    for segment in pointer.split("/")[1:]:
        if isinstance(value, dict) and unescape(segment) in value:
            value = value[unescape(segment)]
        elif isinstance(value, list) and segment.isascii() and segment.isdigit() and int(segment) < len(value):
            value = value[int(segment)]
        else:
            return value, False
    return value, True


def put(content: Any, pointer: str, value: Any) -> Any:
    """Put a value into a content at a pointer, and give the content."""
    if not pointer:
        return value
    holder, _ = resolve(content, parent(pointer))
    key = unescape(pointer.rpartition("/")[2])
    holder[int(key) if isinstance(holder, list) else key] = value
    return content


def moved_back(pointer: str, moved: Mapping[str, str]) -> str:
    """Give where a pointer came from.

    :param moved: pointers of what was renamed or moved, with those they had before; a move may build on another
    """
    for _ in range(_MOST_MOVES):
        before = _moved_once(pointer, moved)
        if before == pointer:
            break
        pointer = before
    return pointer


# Renamed by an upgrade, in a copy loop, under a key that was filled in.
_MOST_MOVES = 4


def _moved_once(pointer: str, moved: Mapping[str, str]) -> str:
    head, tail = pointer, ""
    while head:
        if head in moved:
            return moved[head] + tail
        cut = head.rfind("/")
        head, tail = head[:cut], head[cut:] + tail
    return pointer
