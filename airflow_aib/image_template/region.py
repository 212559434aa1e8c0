"""Azure's regions, which people write in several ways."""

from __future__ import annotations


def normal_region(name: str) -> str:
    """Write a region as Azure's ids do: `West US` is `westus`."""
    return name.replace(" ", "").casefold()
