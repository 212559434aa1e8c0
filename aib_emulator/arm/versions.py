"""Versions of images: the order that `latest` goes by."""

from __future__ import annotations


def version_order(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by: their numbers, not their text."""
    return tuple(int(number) for number in version.split(".") if number.isdigit())
