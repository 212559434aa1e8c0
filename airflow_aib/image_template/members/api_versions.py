"""The api-versions of image templates, oldest first. They begin with their dates, so their order is that of text."""

from __future__ import annotations

API_VERSIONS = (
    "2018-02-01-preview",
    "2019-02-01-preview",
    "2019-05-01-preview",
    "2020-02-14",
    "2021-10-01",
    "2022-02-14",
    "2022-07-01",
    "2023-07-01",
    "2024-02-01",
    "2025-10-01",
)

# The current one: what is submitted, and what the tables have to say where nobody names another.
API_VERSION = API_VERSIONS[-1]

STRICT_SINCE = "2024-02-01"


def is_strict(api_version: str) -> bool:
    """Whether the service refuses unknown members and other letter case, which it ignored before."""
    return api_version >= STRICT_SINCE


def is_newer(api_version: str) -> bool:
    """Whether an api-version, to go by its date, came after the current one, and may exist without being known."""
    return api_version[:4].isdigit() and api_version > API_VERSION


def next_after(api_version: str) -> str:
    """Give the api-version that followed."""
    return API_VERSIONS[API_VERSIONS.index(api_version) + 1]
