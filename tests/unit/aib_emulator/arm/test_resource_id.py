from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.arm.resource_id import ResourceId, ResourceIdError

NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,12}", fullmatch=True)
VERSION = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/d/versions/1.0.0"


@given(
    subscription=NAMES,
    group=st.none() | NAMES,
    namespace=NAMES,
    path=st.lists(NAMES, min_size=2, max_size=6).filter(lambda names: len(names) % 2 == 0),
)
def test_what_is_written_is_read_again(subscription: str, group: str | None, namespace: str, path: list[str]) -> None:
    """Reading a written id gives the same id."""
    resource_id = ResourceId(subscription, group, namespace, tuple(path))
    assert ResourceId.parse(str(resource_id)) == resource_id


def test_ids_are_equal_in_any_casing() -> None:
    """Two spellings of one id have the same key."""
    assert ResourceId.parse(VERSION).key == ResourceId.parse(VERSION.upper()).key


def test_names_keep_their_casing() -> None:
    """An id is written with the names as they came, and `resourceGroups` as usual."""
    written = str(ResourceId.parse("/SUBSCRIPTIONS/S/resourcegroups/Rg/providers/Microsoft.Compute/images/Img"))
    assert written == "/subscriptions/S/resourceGroups/Rg/providers/Microsoft.Compute/images/Img"


def test_a_service_may_write_the_groups_word_its_own_way() -> None:
    """Image Builder writes `resourcegroups` in lower case."""
    assert ResourceId("s", "rg").write("resourcegroups") == "/subscriptions/s/resourcegroups/rg"


def test_parts_of_an_id() -> None:
    """An id knows its name, its type, its group and the resource that it is a part of."""
    version = ResourceId.parse(VERSION)
    assert (version.name, version.resource_type) == ("1.0.0", "Microsoft.Compute/galleries/images/versions")
    assert str(version.group) == "/subscriptions/S/resourceGroups/rg"
    assert str(version.parent) == VERSION.removesuffix("/versions/1.0.0")
    assert version.in_group("Microsoft.Compute", "galleries", "g").parent is None


@pytest.mark.parametrize(
    ("text", "resource_type"),
    [
        ("/subscriptions/s", "Microsoft.Resources/subscriptions"),
        ("/subscriptions/s/resourceGroups/rg", "Microsoft.Resources/resourceGroups"),
    ],
)
def test_what_is_no_resource_of_a_provider_has_a_type_too(text: str, resource_type: str) -> None:
    """Subscriptions and groups are typed as Resource Manager types them."""
    assert ResourceId.parse(text).resource_type == resource_type


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "/",
        "/subscriptions",
        "/resourceGroups/rg",
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute",
        "/subscriptions/s/resourceGroups/rg/images/img",
        "subscriptions/s/resourceGroups/rg",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """Text that names no resource is not read as one."""
    with pytest.raises(ResourceIdError):
        ResourceId.parse(text)
