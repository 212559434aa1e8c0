from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.target_regions import target_regions

WEST = {"name": "West US", "replicaCount": 3}


@pytest.mark.parametrize(
    ("distributor", "expected"),
    [
        ({}, [{"name": "eastus"}]),
        ({"replicationRegions": ["westus", "northeurope"]}, [{"name": "westus"}, {"name": "northeurope"}]),
        (
            {"replicationRegions": ["westus"], "storageAccountType": "Standard_ZRS"},
            [{"name": "westus", "storageAccountType": "Standard_ZRS"}],
        ),
        ({"replicationRegions": ["westus", "West US"]}, [{"name": "westus"}]),
        ({"targetRegions": [WEST, {"name": "eastus"}, {"name": "westus"}]}, [WEST, {"name": "eastus"}]),
    ],
)
def test_each_region_is_published_to_once(distributor: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    """Regions are those that are named, in either way and any spelling; the image template's own without any."""
    assert target_regions(distributor, otherwise="eastus") == expected
