"""Where a gallery distributor publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.locations import short_name

if TYPE_CHECKING:
    from collections.abc import Mapping


def target_regions(distributor: Mapping[str, Any], otherwise: str) -> list[dict[str, Any]]:
    """Return the target regions with what is said of each, every region once, however it is spelt.

    :param otherwise: the region where none is named
    """
    named: list[dict[str, Any]] = distributor.get("targetRegions") or []
    if not named:
        kind = distributor.get("storageAccountType")
        about = {"storageAccountType": kind} if kind else {}
        named = [{"name": name, **about} for name in distributor.get("replicationRegions") or [otherwise]]
    once: dict[str, dict[str, Any]] = {}
    for region in named:
        once.setdefault(short_name(region["name"]), dict(region))
    return list(once.values())
