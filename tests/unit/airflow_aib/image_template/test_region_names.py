from __future__ import annotations

from itertools import pairwise

import pytest

from airflow_aib.image_template.region_names import REGIONS, meant_regions


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("westeurop", ["westeurope"]),
        ("westeuorpe", ["westeurope"]),
        ("swedencentrall", ["swedencentral"]),
        ("eastsu", ["eastus"]),
        ("uksuoth", ["uksouth"]),
        ("eastu2s", ["eastus2"]),
        ("ukwast", ["ukwest"]),
        ("estus", ["eastus", "westus"]),
        ("weastus", ["eastus", "westus"]),
        ("swedncentrall", ["swedencentral"]),
        ("westus9", ["westus", "westus2", "westus3"]),
        ("westus1", ["westus", "westus2", "westus3"]),
        ("westus02", ["westus", "westus2", "westus3"]),
        ("uksouth7", ["uksouth"]),
        ("westeurope", []),
        ("eastus2", []),
        ("eastus4", []),
        ("eastus5", []),
        ("uksouth2", []),
        ("atlantis", []),
        ("w" * 10_000, []),
    ],
)
def test_misspelt_regions(name: str, meant: list[str]) -> None:
    """What is nearly a known region is misspelt, and all that are as near are given; the next numbers may be new."""
    assert list(meant_regions(name)) == meant


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_two_letters_that_changed_places_are_noticed(region: str) -> None:
    """Wherever in its name they stand, that region is taken for the one that is meant."""
    pairs = enumerate(pairwise(region))
    swapped = {region[:at] + right + left + region[at + 2 :] for at, (left, right) in pairs} - {region}

    assert {name: meant_regions(name) for name in swapped - REGIONS} == dict.fromkeys(swapped - REGIONS, (region,))
