from __future__ import annotations

from datetime import UTC, datetime

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
    assert [resource.id for resource in store.list(below=GALLERY)] == [DEFINITION]


def test_deleting_forgets() -> None:
    """A deleted resource is gone, and given back."""
    store = stored(GALLERY)
    assert store.delete(GALLERY) is not None
    assert store.delete(GALLERY) is None
    assert list(store) == []
