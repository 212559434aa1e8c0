from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.compute.shapes import (
    definition_body,
    demand_home_region,
    demand_same_definition,
    gallery_body,
    version_body,
)

GALLERY = ResourceId("s", "rg", "Microsoft.Compute", ("galleries", "gal1"))
DEFINITION = GALLERY.child("images", "def1")
VERSION = DEFINITION.child("versions", "1.0.0")
PUBLISHED = datetime(2025, 11, 16, 23, 28, 15, tzinfo=UTC)
STORAGE_PROFILE = {"osDiskImage": {"source": {"id": "/snapshots/s1"}}}


def sent_version(**publishing_profile: Any) -> dict[str, Any]:
    """Return what a caller sends for a version in West US."""
    properties = {"publishingProfile": publishing_profile, "storageProfile": STORAGE_PROFILE}
    return {"location": "westus", "tags": {}, "properties": properties}


def sent_definition(**changes: Any) -> dict[str, Any]:
    """Return what a caller sends for a definition."""
    identifier = {"publisher": "p", "offer": "o", "sku": "s"}
    properties = {"osType": "Linux", "osState": "Generalized", "identifier": identifier, **changes}
    return {"location": "westus", "properties": properties}


def test_region_comes_back_as_people_read_it() -> None:
    """A target region sent as westus is answered as West US, with the defaults for all regions."""
    body = version_body(VERSION, sent_version(targetRegions=[{"name": "westus"}], replicaCount=2), PUBLISHED)
    profile = body["properties"]["publishingProfile"]
    assert profile["targetRegions"] == [
        {"name": "West US", "regionalReplicaCount": 2, "storageAccountType": "Standard_LRS"}
    ]
    assert profile["excludeFromLatest"] is False


def test_version_without_regions_is_in_its_own() -> None:
    """Without target regions the version goes to its own location."""
    body = version_body(VERSION, sent_version(), PUBLISHED)
    assert [region["name"] for region in body["properties"]["publishingProfile"]["targetRegions"]] == ["West US"]


def test_version_needs_its_home_region() -> None:
    """Target regions without the version's own location are refused."""
    with pytest.raises(ArmError, match="must include the location"):
        demand_home_region(version_body(VERSION, sent_version(targetRegions=[{"name": "eastus"}]), PUBLISHED))


@pytest.mark.parametrize("name", ["1.0", "1.0.0.0", "v1.0.0", "1.0.99999999999", "1.0.2147483648"])
def test_version_name_has_three_numbers(name: str) -> None:
    """Anything but three numbers of at most 31 bits is refused."""
    with pytest.raises(ArmError, match="InvalidParameter"):
        version_body(DEFINITION.child("versions", name), sent_version(), PUBLISHED)


def test_version_needs_a_source() -> None:
    """A version without storage profile is refused, naming what is missing."""
    with pytest.raises(ArmError, match=r"'galleryImageVersion.properties.storageProfile' is missing"):
        version_body(VERSION, {"location": "westus", "properties": {}}, PUBLISHED)


@pytest.mark.parametrize("member", ["identifier", "osType", "osState"])
def test_definition_says_what_it_is(member: str) -> None:
    """A definition without identifier, kind or state of its system is refused."""
    with pytest.raises(ArmError, match=f"'galleryImage.properties.{member}' is missing"):
        definition_body(DEFINITION, sent_definition(**{member: None}))


def test_definition_stays_what_it_is() -> None:
    """Generation and system of a definition never change, its description may."""
    known = definition_body(DEFINITION, sent_definition())
    demand_same_definition(known, definition_body(DEFINITION, sent_definition(description="new")))
    with pytest.raises(ArmError, match="PropertyChangeNotAllowed"):
        demand_same_definition(known, definition_body(DEFINITION, sent_definition(hyperVGeneration="V1")))


def test_gallery_name_has_no_hyphen() -> None:
    """A gallery's name may hold letters, digits, dots and underscores only."""
    with pytest.raises(ArmError, match="validation rule"):
        gallery_body(ResourceId("s", "rg", "Microsoft.Compute", ("galleries", "my-gallery")), {"location": "westus"})


def test_location_is_required() -> None:
    """Every tracked resource needs a location."""
    with pytest.raises(ArmError, match="LocationRequired"):
        gallery_body(GALLERY, {})
