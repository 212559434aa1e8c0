from __future__ import annotations

from aib_emulator.services.compute.aliases import ALIASES, alias_document
from aib_emulator.services.compute.catalogue import PlatformCatalogue


def test_every_alias_is_an_image_of_the_marketplace() -> None:
    """Whoever takes an alias gets an image that this emulator can build from."""
    by_system = alias_document(PlatformCatalogue())["outputs"]["aliases"]["value"]
    assert {alias for aliases in by_system.values() for alias in aliases} == set(ALIASES)
    assert by_system["Linux"]["Ubuntu2204"] == {
        "publisher": "Canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts-gen2",
        "version": "latest",
        "architecture": "x64",
    }
    assert "Win2022AzureEdition" in by_system["Windows"]
