from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_version.version import LeftOut, latest, parse_version, version_of
from tests.reference_files import answered_body

texts = st.lists(st.integers(0, 99999), min_size=3, max_size=3).map(lambda parts: ".".join(map(str, parts)))


def image_version(name: str, state: str = "Succeeded", **publishing: Any) -> dict[str, Any]:
    """Build a gallery image version."""
    return {"name": name, "properties": {"provisioningState": state, "publishingProfile": publishing}}


def test_order_is_numeric() -> None:
    """1.0.9 comes before 1.0.10."""
    assert parse_version("1.0.9") < parse_version("1.0.10") < parse_version("1.1.0") < parse_version("2.0.0")


def test_equality_is_numeric() -> None:
    """1.0.0 and 1.00.0 are the same version, written as they were."""
    assert parse_version("1.0.0") == parse_version("1.00.0")
    assert hash(parse_version("1.0.0")) == hash(parse_version("1.00.0"))
    assert str(parse_version("1.00.0")) == "1.00.0"
    assert parse_version("1.0.0") != "1.0.0"


@pytest.mark.parametrize("text", ["", "latest", "1.0.", ".1", "1..0", "1.0.0-rc1", " 1.0.0", "-1.0.0", "１.0.0"])  # noqa: RUF001 - a digit that is no ASCII digit
def test_what_is_no_version(text: str) -> None:
    """Only numbers with dots between them are a version."""
    with pytest.raises(ValueError, match="is no image version"):
        parse_version(text)


def test_version_in_a_resource_id() -> None:
    """The version is the last part of its resource id."""
    assert version_of("/subscriptions/s/resourceGroups/g/providers/P/galleries/g/images/d/versions/1.0.0/") == "1.0.0"


def test_latest_is_the_highest_number() -> None:
    """The latest is the highest by number, not the last by text or place."""
    assert latest([image_version("1.0.10"), image_version("1.0.9"), image_version("1.0.2")]).version == "1.0.10"


def test_reasons_for_those_left_out() -> None:
    """Each version that cannot be the latest says why, the highest first."""
    chosen = latest(
        [
            image_version("1.0.0"),
            image_version("1.0.3", excludeFromLatest=True),
            image_version("1.0.10", state="Failed"),
            image_version("1.0.2", state="Creating"),
            {"name": "odd"},
        ]
    )

    assert chosen.version == "1.0.0"
    assert chosen.left_out == (
        LeftOut("1.0.10", "its provisioning state is Failed"),
        LeftOut("1.0.3", "it is excluded from latest"),
        LeftOut("1.0.2", "its provisioning state is Creating"),
        LeftOut("odd", "its name is no version"),
    )


def test_latest_in_a_region() -> None:
    """With a region, versions that are not replicated there, or excluded there, are left out."""
    chosen = latest(
        [
            image_version("1.0.0", targetRegions=[{"name": "West US"}]),
            image_version("1.0.1", targetRegions=[{"name": "East US"}]),
            image_version("1.0.2", targetRegions=[{"name": "westus", "excludeFromLatest": True}]),
            image_version("1.0.3"),
        ],
        region="westus",
    )

    assert chosen.version == "1.0.0"
    assert [one.reason for one in chosen.left_out] == [
        "it is not replicated to westus",
        "it is excluded from latest in westus",
        "it is not replicated to westus",
    ]


def test_no_latest() -> None:
    """Without a usable version there is no latest."""
    assert latest([]).version is None
    assert latest([image_version("1.0.0", state="Failed")]).version is None


def test_name_from_the_id() -> None:
    """A version without a name is named by its id."""
    assert latest([{"id": "/x/versions/1.0.0"}]).version == "1.0.0"


@given(texts, texts)
def test_order_agrees_with_numbers(one: str, other: str) -> None:
    """Versions are ordered as their lists of numbers are."""
    numbers = [[int(part) for part in text.split(".")] for text in (one, other)]

    assert (parse_version(one) < parse_version(other)) == (numbers[0] < numbers[1])


@given(st.lists(texts, min_size=1))
def test_latest_does_not_depend_on_order(names: list[str]) -> None:
    """The latest is the same whatever order the versions come in."""
    versions = [image_version(name) for name in names]

    assert latest(versions).version == latest(versions[::-1]).version == str(max(map(parse_version, names)))


def test_recorded_versions() -> None:
    """A recorded version that is being created is left out, a ready one is the latest where it is replicated."""
    creating = answered_body("put-gallery-version-201")
    ready = answered_body("get-gallery-version-replication-status")

    assert latest([creating]).left_out == (LeftOut("1.0.0", "its provisioning state is Creating"),)
    assert latest([ready], region="eastus").version == "1.0.0"
    assert latest([ready], region="northeurope").version is None
