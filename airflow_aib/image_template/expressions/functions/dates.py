"""Functions on moments, and the .NET formats that write them; always UTC, in .NET's invariant culture."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.functions.values import integer_of, text_of
from airflow_aib.image_template.expressions.limits import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

# How `utcNow` writes a moment when it is not told.
SHORT_ISO = "yyyyMMddTHHmmssZ"
_ISO = "yyyy-MM-ddTHH:mm:ssZ"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STANDARD = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
}

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# A text in quotes, an escaped character, a letter as often as it is repeated, or anything else.
_PIECE = re.compile(r"""'([^']*)'|"([^"]*)"|\\(.)|%?(([a-zA-Z])\5*)|(.)""", re.DOTALL)

_SPECIFIERS: dict[str, Callable[[datetime], str]] = (
    {
        "yyyy": lambda moment: f"{moment.year:04}",
        "yy": lambda moment: f"{moment.year % 100:02}",
        "MMMM": lambda moment: _MONTHS[moment.month - 1],
        "MMM": lambda moment: _MONTHS[moment.month - 1][:3],
        "MM": lambda moment: f"{moment.month:02}",
        "M": lambda moment: str(moment.month),
        "dddd": lambda moment: _DAYS[moment.weekday()],
        "ddd": lambda moment: _DAYS[moment.weekday()][:3],
        "dd": lambda moment: f"{moment.day:02}",
        "d": lambda moment: str(moment.day),
        "HH": lambda moment: f"{moment.hour:02}",
        "H": lambda moment: str(moment.hour),
        "hh": lambda moment: f"{moment.hour % 12 or 12:02}",
        "h": lambda moment: str(moment.hour % 12 or 12),
        "mm": lambda moment: f"{moment.minute:02}",
        "m": lambda moment: str(moment.minute),
        "ss": lambda moment: f"{moment.second:02}",
        "s": lambda moment: str(moment.second),
        "tt": lambda moment: "AM" if moment.hour < 12 else "PM",  # noqa: PLR2004 - noon
        "t": lambda moment: "A" if moment.hour < 12 else "P",  # noqa: PLR2004 - noon
        "K": lambda _: "Z",
        "zzz": lambda _: "+00:00",
        "zz": lambda _: "+00",
        "z": lambda _: "+0",
    }
    | {"f" * places: lambda moment, places=places: f"{moment.microsecond:06}0"[:places] for places in range(1, 8)}
)

# Letters that .NET's formats know; every other one stands for itself.
_RESERVED = frozenset("dfFghHKmMstyz")

_DURATION = re.compile(
    r"(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?"
)
# ARM has neither leap years nor months of different lengths.
_DAY = 86_400
_SECONDS = (365 * _DAY, 30 * _DAY, 7 * _DAY, _DAY, 3_600, 60, 1)


def formatted_moment(moment: datetime, pattern: Any = SHORT_ISO) -> str:
    """Write a moment as a .NET format says, be it a standard one such as `u` or a custom one such as `yyyy.MM.dd`."""
    text = text_of(pattern)
    if len(text) == 1 and text not in _STANDARD:
        raise ExpressionError(f"the standard .NET format of a moment is not known here; write it out, as {_ISO}")
    utc = moment.astimezone(UTC)
    return "".join(_written(piece, utc) for piece in _PIECE.finditer(_STANDARD.get(text, text)))


def _written(piece: re.Match[str], moment: datetime) -> str:
    quoted, double_quoted, escaped, letters, letter, other = piece.groups()
    if letters is None:
        return next(part for part in (quoted, double_quoted, escaped, other) if part is not None)
    if letter not in _RESERVED:
        return str(letters)
    if letters not in _SPECIFIERS:
        raise ExpressionError(f"the .NET format of a moment has a specifier that is not known here; write it as {_ISO}")
    return _SPECIFIERS[letters](moment)


def _moment_of(text: Any) -> datetime:
    moment = datetime.fromisoformat(text_of(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date_time_add(base: Any, duration: Any, pattern: Any = _ISO) -> str:
    parts = _DURATION.fullmatch(text_of(duration))
    if parts is None or not any(parts.groups()[1:]):
        raise ExpressionError("dateTimeAdd() takes an ISO 8601 duration, as 'P3D' or '-PT1H'")
    sign, *amounts = parts.groups()
    seconds = sum(int(amount or 0) * each for amount, each in zip(amounts, _SECONDS, strict=True))
    return formatted_moment(_moment_of(base) + timedelta(seconds=-seconds if sign else seconds), pattern)


DATE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "datetimeadd": _date_time_add,
    "datetimefromepoch": lambda seconds: formatted_moment(_EPOCH + timedelta(seconds=integer_of(seconds)), _ISO),
    "datetimetoepoch": lambda text: int(_moment_of(text).timestamp()),
}
