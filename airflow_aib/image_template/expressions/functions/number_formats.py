"""The .NET formats of integers that `format()` knows: D3, X4, N0, F2, and masks as 000."""

from __future__ import annotations

import re

from airflow_aib.image_template.expressions.limits import ExpressionError

_STANDARD = re.compile(r"([dDfFnNxX])(\d{0,2})")
_MASK = re.compile(r"0{1,20}")
# What .NET's invariant culture writes behind the point.
_DEFAULT_PLACES = 2


def formatted_integer(value: int, specifier: str) -> str:
    """Write an integer as a .NET format says."""
    if _MASK.fullmatch(specifier):
        return _digits(value, len(specifier))
    standard = _STANDARD.fullmatch(specifier)
    if standard is None:
        raise ExpressionError("format() knows the .NET formats D, F, N and X with digits, as D3, and masks as 000 here")
    kind, digits = standard[1], int(standard[2]) if standard[2] else None
    if kind in "dD":
        return _digits(value, digits or 1)
    if kind in "xX":
        return format(value % 2**64, kind).zfill(digits or 1)
    return format(value, f"{',' if kind in 'nN' else ''}.{_DEFAULT_PLACES if digits is None else digits}f")


def _digits(value: int, least: int) -> str:
    return f"{'-' if value < 0 else ''}{str(abs(value)).zfill(least)}"
