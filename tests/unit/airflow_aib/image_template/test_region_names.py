from __future__ import annotations

from itertools import pairwise

import pytest

from airflow_aib.image_template.region_names import REGIONS, misspelt_region


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("westeurop", "westeurope"),
        ("westeuorpe", "westeurope"),
        ("swedencentrall", "swedencentral"),
        ("eastsu", "eastus"),
        ("uksuoth", "uksouth"),
        ("eastu2s", "eastus2"),
        ("ukwast", "ukwest"),
        ("westeurope", None),
        ("eastus2", None),
        ("eastus4", None),
        ("atlantis", None),
        ("w" * 10_000, None),
    ],
)
def test_misspelt_regions(name: str, meant: str | None) -> None:
    """Only what is nearly a known region is taken for a misspelt one; a number more may be a new region."""
    assert misspelt_region(name) == meant


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_two_letters_that_changed_places_are_noticed(region: str) -> None:
    """Wherever in its name they stand, that region is taken for the one that is meant."""
    pairs = enumerate(pairwise(region))
    swapped = {region[:at] + right + left + region[at + 2 :] for at, (left, right) in pairs} - {region}

    assert {name: misspelt_region(name) for name in swapped - REGIONS} == dict.fromkeys(swapped - REGIONS, region)
