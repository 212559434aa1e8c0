from __future__ import annotations

import pytest

from airflow_aib.image_template.region_names import misspelt_region


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("westeurop", "westeurope"),
        ("westeuorpe", "westeurope"),
        ("swedencentrall", "swedencentral"),
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
