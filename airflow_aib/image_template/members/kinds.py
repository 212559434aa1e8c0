"""What may stand in an image template of the current api-version: sources, customizers, validators, distributors.

Reading, upgrading and comparing follow these; `tables_of` gives the same of any other api-version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from airflow_aib.image_template.members import tables
from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS
from airflow_aib.image_template.members.in_version import family_in, shape_in
from airflow_aib.image_template.members.shapes import Family, Member, Shape

__all__ = [
    "API_VERSION",
    "CUSTOMIZERS",
    "DISTRIBUTORS",
    "PROPERTIES",
    "READ_ONLY",
    "SOURCES",
    "VALIDATORS",
    "VERSIONINGS",
    "all_members",
    "tables_of",
    "target_os",
]


@cache
def tables_of(api_version: str) -> Shape:
    """Give the whole resource as an api-version has it."""
    if api_version not in API_VERSIONS:
        raise ValueError(f"There are no tables of api-version {api_version!r}, but of {', '.join(API_VERSIONS)}.")
    return shape_in(tables.RESOURCE, api_version)


SOURCES = family_in(tables.SOURCES, API_VERSION)
CUSTOMIZERS = family_in(tables.CUSTOMIZERS, API_VERSION)
VALIDATORS = family_in(tables.VALIDATORS, API_VERSION)
VERSIONINGS = family_in(tables.VERSIONINGS, API_VERSION)
DISTRIBUTORS = family_in(tables.DISTRIBUTORS, API_VERSION)
PROPERTIES = shape_in(tables.PROPERTIES, API_VERSION)

# What Azure adds to an answer and nobody sends.
READ_ONLY = {
    "/properties": ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup"),
    "/properties/source": ("exactVersion",),
}


def all_members(holder: Any = PROPERTIES) -> Iterator[Member]:
    """Give every member of the properties, however deep."""
    if isinstance(holder, Family):
        for kind in holder.kinds.values():
            yield from all_members(kind)
    elif isinstance(holder, Shape):
        for member in holder.members.values():
            yield member
            yield from all_members(member.holds)


_WINDOWS_PUBLISHERS = ("microsoftwindows", "microsoftsqlserver", "microsoftvisualstudio")
_LINUX_PUBLISHERS = (
    "canonical", "redhat", "suse", "debian", "oracle", "openlogic", "almalinux", "resf", "erockyenterprisesoftware",
    "microsoftcblmariner", "kinvolk",
)  # fmt: skip


def target_os(properties: Mapping[str, Any]) -> str | None:
    """Tell `Linux` or `Windows` from the source's publisher, else from the customizers; None where nothing tells."""
    source = properties.get("source")
    publisher = str(source.get("publisher", "")).casefold() if isinstance(source, Mapping) else ""
    if publisher.startswith(_WINDOWS_PUBLISHERS):
        return "Windows"
    if publisher.startswith(_LINUX_PUBLISHERS):
        return "Linux"
    told = {kind.os[0] for kind in _kinds_used(properties) if len(kind.os) == 1}
    return told.pop() if len(told) == 1 else None


def _kinds_used(properties: Mapping[str, Any]) -> Iterator[Shape]:
    customize = properties.get("customize")
    for customizer in customize if isinstance(customize, list) else ():
        kind = CUSTOMIZERS.kind_of(customizer) if isinstance(customizer, Mapping) else None
        if kind is not None:
            yield kind
