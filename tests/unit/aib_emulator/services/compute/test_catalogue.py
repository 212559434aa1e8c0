from __future__ import annotations

import pytest

from aib_emulator.arm.versions import version_order
from aib_emulator.services.compute.catalogue import PlatformCatalogue

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


@pytest.mark.parametrize(
    ("names", "about", "system", "generation"),
    [
        (("Mine", "base", "9"), {}, "Linux", "V2"),
        (("Mine", "windows-base", "9"), {}, "Windows", "V2"),
        (("Mine", "base", "9"), {"os_type": "Windows", "hyper_v_generation": "V1"}, "Windows", "V1"),
    ],
)
def test_an_image_that_is_not_there_is_made(
    names: tuple[str, str, str], about: dict[str, str], system: str, generation: str
) -> None:
    """Its first version makes it; a reset forgets it, and what was kept brings it back."""
    catalogue, later = PlatformCatalogue(), PlatformCatalogue()
    catalogue.publish(*names, "1.0.0", **about)
    catalogue.publish(*names, "1.0.1")
    catalogue.publish(*UBUNTU, "24.04.999999999")
    kept = catalogue.changed()
    assert kept is not None
    later.restore(kept)
    image = later.find(*names)
    assert image is not None
    assert (image.os_type, image.hyper_v_generation, image.versions) == (system, generation, ["1.0.0", "1.0.1"])
    assert later.versions(*UBUNTU) == catalogue.versions(*UBUNTU)
    assert len(later.skus(*UBUNTU[:2])) == len(catalogue.skus(*UBUNTU[:2]))
    later.reset()
    assert (later.find(*names), later.changed()) == (None, None)


@pytest.mark.parametrize(
    ("names", "version", "about", "said"),
    [
        (UBUNTU, "latest", {}, "numbers joined by dots"),
        (("Mine", "", "9"), "1.0.0", {}, "no name"),
        (("Mine", "a/b", "9"), "1.0.0", {}, "no name"),
        (("Mine", "base", "9"), "1.0.0", {"os_type": "BeOS"}, "use one of Linux, Windows"),
        (("Mine", "base", "9"), "1.0.0", {"hyper_v_generation": "V3"}, "use one of V1, V2"),
        (UBUNTU, "1.0.0", {"os_type": "Windows"}, "has os_type Linux"),
    ],
)
def test_a_senseless_version_is_not_published(
    names: tuple[str, str, str], version: str, about: dict[str, str], said: str
) -> None:
    """It is told why, and nothing has changed."""
    catalogue = PlatformCatalogue()
    with pytest.raises(ValueError, match=said):
        catalogue.publish(*names, version, **about)
    assert catalogue.changed() is None


def test_lists_of_what_is_unknown_are_empty() -> None:
    """An unknown publisher, offer or SKU has nothing to list."""
    catalogue = PlatformCatalogue()
    assert catalogue.offers("Nobody") == []
    assert catalogue.skus("Canonical", "nothing") == []
    assert catalogue.versions("Canonical", "nothing", "server") == []
