from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_template.members import tables
from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS, is_newer, is_strict
from airflow_aib.image_template.members.in_version import family_in, member_in
from airflow_aib.image_template.members.kinds import PROPERTIES, tables_of
from airflow_aib.image_template.members.shapes import Family, Member, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELL = tables.CUSTOMIZERS.kinds["Shell"]
SHARED_IMAGE = tables.DISTRIBUTORS.kinds["SharedImage"]


def rows(holder: Any = tables.RESOURCE) -> Iterator[Member | Shape]:
    """Give every row of the tables of all api-versions, however deep."""
    if isinstance(holder, Family):
        for kind in holder.kinds.values():
            yield from rows(kind)
    elif isinstance(holder, Shape):
        yield holder
        for member in holder.members.values():
            yield member
            yield from rows(member.holds)


def test_api_versions_are_in_order() -> None:
    """Api-versions are compared as text, and the last one is the current one."""
    assert list(API_VERSIONS) == sorted(API_VERSIONS)
    assert API_VERSIONS[-1] == API_VERSION
    assert [one for one in API_VERSIONS if is_strict(one)] == ["2024-02-01", "2025-10-01"]


@pytest.mark.parametrize(
    ("api_version", "expected"), [("2026-01-01", True), (API_VERSION, False), ("2025-09-09", False), ("latest", False)]
)
def test_newer_api_versions(api_version: str, expected: bool) -> None:
    """Only what has a later date may be an api-version that we do not know yet."""
    assert is_newer(api_version) == expected


def test_rows_name_api_versions_that_exist() -> None:
    """Since when, until when, and until when something differed, is always a known api-version."""
    named = {version for row in rows() for version in (row.since, row.until, *row.earlier)}

    assert named <= set(API_VERSIONS)
    assert [row.name for row in rows() if row.since > row.until] == []


def test_tables_of_an_unknown_api_version() -> None:
    """Tables of an api-version that does not exist are refused, with those that do."""
    with pytest.raises(ValueError, match="2020-02-14"):
        tables_of("2020-02-30")


def test_tables_are_made_once() -> None:
    """The tables of an api-version are made once, and the current one's are those that the other parts follow."""
    assert tables_of("2020-02-14") is tables_of("2020-02-14")
    assert tables_of(API_VERSION).members["properties"].holds == PROPERTIES


@pytest.mark.parametrize(
    ("row", "api_version", "field", "expected"),
    [
        (SHELL.members["scriptUri"], "2018-02-01-preview", "name", "script"),
        (SHELL.members["scriptUri"], "2019-02-01-preview", "name", "script"),
        (SHELL.members["scriptUri"], "2019-05-01-preview", "name", "scriptUri"),
        (SHARED_IMAGE.members["replicationRegions"], "2018-02-01-preview", "is_required", True),
        (SHARED_IMAGE.members["replicationRegions"], "2022-02-14", "is_required", True),
        (SHARED_IMAGE.members["replicationRegions"], "2022-07-01", "is_required", False),
        (tables.RESOURCE.members["identity"], "2019-05-01-preview", "is_required", False),
        (tables.RESOURCE.members["identity"], "2020-02-14", "is_required", True),
        (tables.RESOURCE.members["apiVersion"], "2021-10-01", "values", ("2021-10-01",)),
    ],
)
def test_a_row_in_an_api_version(row: Member, api_version: str, field: str, expected: object) -> None:
    """A row gives each api-version its spelling, its duty and its words."""
    assert getattr(member_in(row, api_version), field) == expected


def test_several_differences_add_up() -> None:
    """What differed until a later api-version differed in all before it too, unless it differed once more."""
    row = Member(
        "now", earlier={"2019-02-01-preview": {"name": "first"}, "2020-02-14": {"name": "then", "is_required": True}}
    )

    assert [(one.name, one.is_required) for one in (member_in(row, version) for version in API_VERSIONS[1:5])] == [
        ("first", True),
        ("then", True),
        ("then", True),
        ("now", False),
    ]
    assert member_in(row, "2018-02-01-preview").other_names == {"then": "until 2020-02-14", "now": "since 2021-10-01"}


@pytest.mark.parametrize(
    ("api_version", "kinds", "others"),
    [
        ("2018-02-01-preview", ["shell"], {"powershell", "file", "windowsrestart", "windowsupdate"}),
        ("2019-02-01-preview", ["Shell", "PowerShell", "WindowsRestart"], {"file", "windowsupdate"}),
        ("2020-02-14", ["Shell", "PowerShell", "File", "WindowsRestart", "WindowsUpdate"], set()),
    ],
)
def test_a_family_in_an_api_version(api_version: str, kinds: list[str], others: set[str]) -> None:
    """A family has the kinds of the api-version in its spelling, and remembers those of others."""
    family = family_in(tables.CUSTOMIZERS, api_version)

    assert list(family.kinds) == kinds
    assert set(family.others) == others
