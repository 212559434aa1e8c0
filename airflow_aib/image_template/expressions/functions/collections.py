"""Functions on arrays and objects; some of them take texts too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.functions.texts import joined_texts
from airflow_aib.image_template.expressions.functions.values import (
    are_equal,
    array_of,
    identity_of,
    integer_of,
    kind_of,
    object_of,
    spelling_in,
    text_of,
)
from airflow_aib.image_template.expressions.limits import LONGEST_RANGE, ExpressionError, require_size

if TYPE_CHECKING:
    from collections.abc import Callable


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return _flatten(list(parts))
    if any(isinstance(part, list | dict) for part in parts):
        raise ExpressionError("concat() takes either texts or arrays")
    return joined_texts(parts)


def _flatten(arrays: Any) -> list[Any]:
    require_size(sum(len(array_of(array)) for array in array_of(arrays)))
    return [item for array in arrays for item in array]


def _contains(owner: Any, item: Any) -> bool:
    if isinstance(owner, dict):
        return spelling_in(owner, text_of(item)) is not None
    if isinstance(owner, list):
        return any(are_equal(item, one) for one in owner)
    return text_of(item) in text_of(owner)


def _object(*pairs: Any) -> dict[str, Any]:
    return {text_of(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _first(value: Any) -> Any:
    return _end(value, 0)


def _last(value: Any) -> Any:
    return _end(value, -1)


def _end(value: Any, index: int) -> Any:
    """Give the first or last of a text or array; of an empty one ARM gives an empty text or null."""
    if isinstance(value, str):
        return value[index] if value else ""
    return array_of(value)[index] if value else None


def _take(value: Any, count: Any) -> Any:
    return _sequence(value)[: max(integer_of(count), 0)]


def _skip(value: Any, count: Any) -> Any:
    return _sequence(value)[max(integer_of(count), 0) :]


def _sequence(value: Any) -> Any:
    if not isinstance(value, str | list):
        raise ExpressionError(f"a string or an array is needed, not {kind_of(value)}")
    return value


def _index_of(owner: Any, item: Any) -> int:
    if isinstance(owner, list):
        return next((index for index, one in enumerate(owner) if are_equal(one, item)), -1)
    return _small(text_of(owner)).find(_small(text_of(item)))


def _last_index_of(owner: Any, item: Any) -> int:
    if isinstance(owner, list):
        return next((index for index in reversed(range(len(owner))) if are_equal(owner[index], item)), -1)
    return _small(text_of(owner)).rfind(_small(text_of(item)))


def _small(text: str) -> str:
    """Write a text in small letters, each in the place where its capital stood."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _range(start: Any, count: Any) -> list[int]:
    if not 0 <= integer_of(count) <= LONGEST_RANGE:
        raise ExpressionError(f"range() gives 0 to {LONGEST_RANGE:,} numbers")
    return list(range(integer_of(start), start + count))


def _union(first: Any, *others: Any) -> Any:
    if isinstance(first, dict):
        for other in others:
            first = _merged(first, object_of(other))
        return first
    return list({identity_of(item): item for item in _flatten([first, *others])}.values())


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge objects inside objects; everything else, arrays too, is replaced."""
    merged = dict(first)
    for name, value in _respelled(second, first):
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _shallow_merge(objects: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for one in array_of(objects):
        merged.update(_respelled(object_of(one), merged))
    return merged


def _respelled(owner: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, Any]]:
    """Give an object's members, spelled as another one does."""
    spellings = {key.casefold(): key for key in other}
    return [(key if key in other else spellings.get(key.casefold(), key), value) for key, value in owner.items()]


def _intersection(first: Any, *others: Any) -> Any:
    if isinstance(first, dict):
        pairs = [{(key.casefold(), identity_of(value)) for key, value in object_of(one).items()} for one in others]
        return {
            key: value
            for key, value in first.items()
            if all((key.casefold(), identity_of(value)) in other for other in pairs)
        }
    others_items = [{identity_of(item) for item in array_of(other)} for other in others]
    common = {identity_of(item): item for item in array_of(first)}
    return [item for identity, item in common.items() if all(identity in other for other in others_items)]


def _items(owner: Any) -> list[dict[str, Any]]:
    """Give keys and values in the order of the keys, as ARM does."""
    return [{"key": key, "value": value} for key, value in sorted(object_of(owner).items())]


def _try_get(owner: Any, *keys: Any) -> Any:
    """Look deeper and deeper; whatever is not there gives null."""
    for key in keys:
        if isinstance(key, str):
            name = spelling_in(owner, key) if isinstance(owner, dict) else None
            owner = None if name is None else owner[name]
        else:
            is_there = isinstance(owner, list) and 0 <= integer_of(key) < len(owner)
            owner = owner[key] if is_there else None
    return owner


COLLECTION_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "array": lambda value: value if isinstance(value, list) else [value],
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "empty": lambda value: value is None or len(value) == 0,
    "first": _first,
    "flatten": _flatten,
    "indexof": _index_of,
    "intersection": _intersection,
    "items": _items,
    "last": _last,
    "lastindexof": _last_index_of,
    "length": len,
    "objectkeys": lambda owner: list(object_of(owner)),
    "range": _range,
    "shallowmerge": _shallow_merge,
    "skip": _skip,
    "take": _take,
    "tryget": _try_get,
    "union": _union,
}
