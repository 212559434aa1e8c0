from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.store import Resource, Store

NOW = datetime(2025, 1, 1, tzinfo=UTC)
GALLERY = ResourceId("s", "rg", "Microsoft.Compute", ("galleries", "g"))
DEFINITION = GALLERY.child("images", "d")


def stored(*resource_ids: ResourceId) -> Store:
    """Make a store that holds these."""
    store = Store()
    for resource_id in resource_ids:
        store.put(Resource(resource_id, {}, NOW, NOW))
    return store


def test_a_resource_is_found_in_any_casing() -> None:
    """Ids that differ in casing name one resource."""
    assert stored(GALLERY).get(ResourceId.parse(str(GALLERY).upper())) is not None


def test_lists_hold_what_fits_every_condition() -> None:
    """Type and group narrow a list down, in any casing."""
    store = stored(GALLERY, DEFINITION, ResourceId("s", "other", "Microsoft.Compute", ("galleries", "g")))
    found = store.list(subscription_id="S", resource_group_name="RG", resource_type="microsoft.compute/galleries")
    assert [resource.id for resource in found] == [GALLERY]


def test_what_lies_below_a_resource() -> None:
    """A resource's parts are found, and neither itself nor one whose name begins alike."""
    store = stored(GALLERY, DEFINITION, ResourceId("s", "rg", "Microsoft.Compute", ("galleries", "g2", "images", "d")))
    assert [resource.id for resource in store.list_below(GALLERY)] == [DEFINITION]


def test_deleting_forgets() -> None:
    """A deleted resource is gone, and given back."""
    store = stored(GALLERY)
    assert store.delete(GALLERY) is not None
    assert store.delete(GALLERY) is None
    assert list(store) == []


def test_names_are_found_wherever_they_lie() -> None:
    """A type and a name find every resource of these, in any casing, until it is deleted."""
    elsewhere = ResourceId("s", "other", "Microsoft.Compute", ("galleries", "G"))
    store = stored(GALLERY, DEFINITION, elsewhere)
    assert [found.id for found in store.named("microsoft.compute/Galleries", "g")] == [GALLERY, elsewhere]
    store.delete(GALLERY)
    assert [found.id for found in store.named("Microsoft.Compute/galleries", "g")] == [elsewhere]


def test_a_group_needs_its_subscription() -> None:
    """A list of a group of any subscription is refused: it would hold what nobody asked for."""
    with pytest.raises(ValueError, match="subscription"):
        stored(GALLERY).list(resource_group_name="rg")


IDS = [
    ResourceId(subscription_id, group, *rest)
    for subscription_id in ("s", "S2")
    for group in (None, "rg", "RG2")
    for rest in (
        (),
        ("Microsoft.Compute", ("galleries", "g")),
        ("Microsoft.Compute", ("galleries", "g", "images", "d")),
        ("Microsoft.Compute", ("galleries", "g2", "images", "d")),
        ("Microsoft.Resources", ("deployments", "g")),
    )
]
CHANGES = st.lists(st.tuples(st.sampled_from(IDS), st.booleans()), max_size=25)


@given(CHANGES)
def test_every_list_is_what_a_search_finds(changes: list[tuple[ResourceId, bool]]) -> None:
    """Whatever was put and deleted, lists hold just what fits, in the order of its creation."""
    store, kept = Store(), dict[str, ResourceId]()
    for resource_id, is_put in changes:
        if is_put:
            store.put(Resource(resource_id, {}, NOW, NOW))
            kept.setdefault(resource_id.key, resource_id)
        else:
            store.delete(resource_id)
            kept.pop(resource_id.key, None)
    for place in IDS:
        below = [other for other in kept.values() if other.key.startswith(f"{place.key}/")]
        if place.is_group or place.path:
            assert [found.id for found in store.list_below(place)] == below
        alike = [other for other in kept.values() if other.resource_type == place.resource_type]
        assert [found.id for found in store.list(resource_type=place.resource_type.upper())] == alike
        within = [other for other in alike if other.subscription_id == place.subscription_id]
        assert [found.id for found in store.list(**asked(place))] == within
        group = place.resource_group_name or ""
        same = [other for other in within if (other.resource_group_name or "") == group]
        assert [found.id for found in store.list(**asked(place), resource_group_name=group)] == same


def asked(place: ResourceId) -> dict[str, str]:
    """Return the conditions that a resource of the same subscription and type meets."""
    return {"subscription_id": place.subscription_id, "resource_type": place.resource_type}
