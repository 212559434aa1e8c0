"""Functions on texts."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin

from airflow_aib.image_template.expressions.functions.number_formats import formatted_integer
from airflow_aib.image_template.expressions.functions.values import integer_of, kind_of, parsed_json, text_of, written
from airflow_aib.image_template.expressions.limits import LARGEST_VALUE, ExpressionError, require_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_HOLE = re.compile(r"\{\{|\}\}|\{(\d{1,5})(?:,(-?\d{1,5}))?(?::([^{}]*))?\}")


def _format(pattern: Any, *values: Any) -> str:
    made, at, size = [], 0, 0
    for hole in _HOLE.finditer(text_of(pattern)):
        made += [pattern[at : hole.start()], _filled(hole, values)]
        size += len(made[-1]) + len(made[-2])
        require_size(size)
        at = hole.end()
    return "".join([*made, pattern[at:]])


def _filled(hole: re.Match[str], values: tuple[Any, ...]) -> str:
    if hole[0] in {"{{", "}}"}:
        return hole[0][0]
    value, width = values[int(hole[1])], int(hole[2] or 0)
    is_number = hole[3] and not isinstance(value, str)
    text = formatted_integer(integer_of(value), hole[3]) if is_number else written(value)
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _replace(text: Any, old: Any, new: Any) -> str:
    if not text_of(old):
        raise ExpressionError("replace() needs a text to look for that is not empty")
    require_size(len(text_of(text)) + text.count(old) * (len(text_of(new)) - len(old)))
    return str(text.replace(old, new))


def _split(text: Any, delimiter: Any) -> list[str]:
    delimiters = [text_of(one) for one in (delimiter if isinstance(delimiter, list) else [delimiter])]
    if len(delimiters) * len(text_of(text)) > LARGEST_VALUE:
        raise ExpressionError("split() has too long a text for so many delimiters")
    pattern = "|".join(re.escape(one) for one in delimiters if one)
    return re.split(pattern, text) if pattern else [text]


def _substring(text: Any, start: Any, length: Any = None) -> str:
    whole = text_of(text)
    begin = integer_of(start)
    end = len(whole) if length is None else begin + integer_of(length)
    if not 0 <= begin <= end <= len(whole):
        raise ExpressionError(f"substring() reaches outside a text of {len(whole)} characters")
    return whole[begin:end]


def _join(items: Any, delimiter: Any) -> str:
    if not isinstance(items, list):
        raise ExpressionError(f"join() takes an array, not {kind_of(items)}")
    require_size(len(items) * len(text_of(delimiter)))
    return str(delimiter.join(_measured(written(item) for item in items)))


def _measured(parts: Iterable[str]) -> Iterable[str]:
    size = 0
    for part in parts:
        size += len(part)
        require_size(size)
        yield part


def _pad_left(value: Any, length: Any, padding: Any = " ") -> str:
    text = value if isinstance(value, str) else str(integer_of(value))
    require_size(integer_of(length))
    if len(text_of(padding)) != 1:
        raise ExpressionError("padLeft() fills with one character")
    return text.rjust(length, padding)


def _decoded(text: Any) -> str:
    return base64.b64decode(text_of(text), validate=True).decode()


def joined_texts(parts: tuple[Any, ...]) -> str:
    """Write values one after the other."""
    return "".join(_measured(written(part) for part in parts))


def _joined_by_hyphens(parts: tuple[Any, ...]) -> str:
    if not parts:
        raise ExpressionError("at least one text is needed")
    return "-".join(_measured(text_of(part) for part in parts))


def hashed(function: Callable[[str], str]) -> Callable[..., str]:
    """Make a function of texts out of a hash of one text: ARM joins them with hyphens."""
    return lambda *parts: function(_joined_by_hyphens(parts))


TEXT_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "base64": lambda text: base64.b64encode(text_of(text).encode()).decode(),
    "base64tojson": lambda text: parsed_json(_decoded(text)),
    "base64tostring": _decoded,
    "endswith": lambda text, end: text_of(text).casefold().endswith(text_of(end).casefold()),
    "format": _format,
    "join": _join,
    "json": lambda text: parsed_json(text_of(text)),
    "padleft": _pad_left,
    "replace": _replace,
    "split": _split,
    "startswith": lambda text, start: text_of(text).casefold().startswith(text_of(start).casefold()),
    "string": written,
    "substring": _substring,
    "tolower": lambda text: text_of(text).lower(),
    "toupper": lambda text: text_of(text).upper(),
    "trim": lambda text: text_of(text).strip(),
    "uri": lambda base, relative: urljoin(text_of(base), text_of(relative)),
    "uricomponent": lambda text: quote(text_of(text), safe=""),
    "uricomponenttostring": lambda text: unquote(text_of(text), errors="strict"),
}
