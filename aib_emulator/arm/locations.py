"""The locations that this Azure has."""

from __future__ import annotations

LOCATIONS = {
    "australiaeast": "Australia East",
    "canadacentral": "Canada Central",
    "centralus": "Central US",
    "eastus": "East US",
    "eastus2": "East US 2",
    "germanywestcentral": "Germany West Central",
    "northeurope": "North Europe",
    "southcentralus": "South Central US",
    "swedencentral": "Sweden Central",
    "uksouth": "UK South",
    "westeurope": "West Europe",
    "westus": "West US",
    "westus2": "West US 2",
    "westus3": "West US 3",
}


def short_name(text: str) -> str:
    """Return a location as ids and bodies write it: `West US` is `westus`."""
    return text.replace(" ", "").lower()


def display_name(text: str) -> str:
    """Return a location as people read it: `westus` is `West US`; an unknown one stays as it is."""
    return LOCATIONS.get(short_name(text), text)


def is_known(text: str) -> bool:
    """Whether this Azure has such a location."""
    return short_name(text) in LOCATIONS
