"""Image versions: numeric order, and the choice of the latest with its reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORM = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


@total_ordering
@dataclass(frozen=True, eq=False)
class ImageVersion:
    """Hold a version that is ordered by its numbers: 1.0.9 comes before 1.0.10.

    :param text: as written
    :param numbers: its parts
    """

    text: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        """Give the version as it was written."""
        return self.text

    def __eq__(self, other: object) -> bool:
        """Compare by numbers: 1.0.0 and 1.00.0 are the same version."""
        return self.numbers == other.numbers if isinstance(other, ImageVersion) else NotImplemented

    def __lt__(self, other: ImageVersion) -> bool:
        """Compare by numbers."""
        return self.numbers < other.numbers

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self.numbers)


def parse_version(text: str) -> ImageVersion:
    """Read a version such as `1.0.10`; anything else, `latest` too, is a `ValueError`."""
    if not _FORM.fullmatch(text):
        raise ValueError(f"{text!r} is no image version: numbers with dots between them are expected, as 1.0.10")
    return ImageVersion(text, tuple(int(part) for part in text.split(".")))


def version_of(image_version_id: str) -> str:
    """Give the version in a resource id of a gallery image version."""
    return image_version_id.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class LeftOut:
    """Say why a version cannot be the latest.

    :param version: as written
    :param reason: for a person
    """

    version: str
    reason: str


@dataclass(frozen=True)
class LatestVersion:
    """Hold the latest version and why it is not a later one.

    :param version: as written; None where no version can be it
    :param left_out: the versions that cannot be it, latest first
    """

    version: str | None
    left_out: tuple[LeftOut, ...]


def latest(versions: Iterable[Mapping[str, Any]], *, region: str | None = None) -> LatestVersion:
    """Choose the latest of a gallery image's versions, as Azure does for `latest`.

    :param versions: bodies of gallery image versions
    :param region: if given, only versions that are replicated there
    """
    usable: list[ImageVersion] = []
    left_out: list[tuple[tuple[int, ...], LeftOut]] = []
    for body in versions:
        name = str(body.get("name") or version_of(str(body.get("id", ""))))
        numbers = tuple(int(part) for part in name.split(".")) if _FORM.fullmatch(name) else ()
        reason = _reason_against(body, region) if numbers else "its name is no version"
        if reason is None:
            usable.append(ImageVersion(name, numbers))
        else:
            left_out.append((numbers, LeftOut(name, reason)))
    chosen = max(usable, default=None)
    ordered = sorted(left_out, key=lambda pair: pair[0], reverse=True)
    return LatestVersion(str(chosen) if chosen else None, tuple(one for _, one in ordered))


def _reason_against(body: Mapping[str, Any], region: str | None) -> str | None:
    properties = body.get("properties") or {}
    publishing = properties.get("publishingProfile") or {}
    state = properties.get("provisioningState")
    if state not in {None, "Succeeded"}:
        return f"its provisioning state is {state}"
    if publishing.get("excludeFromLatest"):
        return "it is excluded from latest"
    if region is None:
        return None
    return _reason_against_region(publishing.get("targetRegions") or [], region)


def _reason_against_region(target_regions: Iterable[Mapping[str, Any]], region: str) -> str | None:
    there = next((one for one in target_regions if _plain(str(one.get("name", ""))) == _plain(region)), None)
    if there is None:
        return f"it is not replicated to {region}"
    return f"it is excluded from latest in {region}" if there.get("excludeFromLatest") else None


def _plain(region: str) -> str:
    """Azure writes one region as `westus` and as `West US`."""
    return region.replace(" ", "").casefold()
