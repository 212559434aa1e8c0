from __future__ import annotations

import pytest

from aib_emulator.services.compute.catalogue import PlatformCatalogue, version_order

UBUNTU = ("Canonical", "ubuntu-24_04-lts", "server")


def test_names_count_in_any_casing() -> None:
    """Publisher, offer and SKU are found in any casing."""
    image = PlatformCatalogue().find("canonical", "UBUNTU-24_04-LTS", "Server")
    assert image is not None
    assert (image.publisher, image.offer, image.sku) == UBUNTU


def test_versions_are_in_order_of_their_numbers() -> None:
    """A version of more digits is the newer one."""
    catalogue = PlatformCatalogue()
    catalogue.publish(*UBUNTU, "24.04.99999999999")
    assert catalogue.versions(*UBUNTU)[-1] == "24.04.99999999999"
    assert version_order("1.0.10") > version_order("1.0.9")


def test_published_version_is_in_one_catalogue_only() -> None:
    """A version published in one emulator is not in another one."""
    PlatformCatalogue().publish(*UBUNTU, "24.04.999999999")
    assert "24.04.999999999" not in PlatformCatalogue().versions(*UBUNTU)


def test_unknown_image_cannot_be_published() -> None:
    """A version needs an image, and has to be one."""
    with pytest.raises(LookupError, match="Canonical:nothing:server"):
        PlatformCatalogue().publish("Canonical", "nothing", "server", "1.0.0")
    with pytest.raises(ValueError, match="numbers joined by dots"):
        PlatformCatalogue().publish(*UBUNTU, "latest")


def test_lists_of_what_is_unknown_are_empty() -> None:
    """An unknown publisher, offer or SKU has nothing to list."""
    catalogue = PlatformCatalogue()
    assert catalogue.offers("Nobody") == []
    assert catalogue.skus("Canonical", "nothing") == []
    assert catalogue.versions("Canonical", "nothing", "server") == []
