"""The marketplace: which platform images there are, in which versions."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.versions import version_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = re.compile(r"\d+(\.\d+)*")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
DISK_SIZES_GB = {"Linux": 30, "Windows": 127}
GENERATIONS = ("V1", "V2")


@dataclass
class PlatformImage:
    """One image of the marketplace with its versions.

    :param publisher: such as `Canonical`
    :param offer: such as `ubuntu-24_04-lts`
    :param sku: such as `server`
    :param os_type: `Linux` or `Windows`
    :param size_gb: size of its disk
    :param versions: in any order
    :param hyper_v_generation: `V1` or `V2`
    :param architecture: `x64` or `Arm64`
    """

    publisher: str
    offer: str
    sku: str
    os_type: str
    size_gb: int
    versions: list[str] = field(default_factory=list)
    hyper_v_generation: str = "V2"
    architecture: str = "x64"

    def is_named(self, publisher: str, offer: str, sku: str) -> bool:
        """Whether these are its names, in any casing."""
        mine = (self.publisher, self.offer, self.sku)
        return [name.lower() for name in mine] == [publisher.lower(), offer.lower(), sku.lower()]


def marketplace() -> list[PlatformImage]:
    """Return the images that every emulator begins with."""
    return [
        PlatformImage(
            "Canonical",
            "ubuntu-24_04-lts",
            "server",
            "Linux",
            30,
            ["24.04.202605150", "24.04.202607080", "24.04.202609100"],
        ),
        PlatformImage(
            "Canonical", "ubuntu-24_04-lts", "server-arm64", "Linux", 30, ["24.04.202607080"], architecture="Arm64"
        ),
        PlatformImage("Canonical", "ubuntu-24_04-lts", "minimal", "Linux", 30, ["24.04.202607080", "24.04.202609100"]),
        PlatformImage(
            "Canonical",
            "0001-com-ubuntu-server-jammy",
            "22_04-lts-gen2",
            "Linux",
            30,
            ["22.04.202604090", "22.04.202608070"],
        ),
        PlatformImage(
            "Canonical", "UbuntuServer", "18.04-LTS", "Linux", 30, ["18.04.202306070", "18.04.202401161"], "V1"
        ),
        PlatformImage(
            "Canonical", "UbuntuServer", "18_04-LTS-GEN2", "Linux", 30, ["18.04.202306070", "18.04.202401161"]
        ),
        PlatformImage("Debian", "debian-12", "12-gen2", "Linux", 30, ["0.20260703.2528", "0.20260901.2588"]),
        PlatformImage("RedHat", "RHEL", "9-lvm-gen2", "Linux", 64, ["9.5.2026030112", "9.6.2026080511"]),
        PlatformImage(
            "MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter", "Windows", 127, ["17763.8511.260802"], "V1"
        ),
        PlatformImage(
            "MicrosoftWindowsServer",
            "WindowsServer",
            "2022-datacenter-azure-edition",
            "Windows",
            127,
            ["20348.4529.260605", "20348.4648.260802", "20348.9999.260904"],
        ),
        PlatformImage(
            "MicrosoftWindowsServer",
            "WindowsServer",
            "2025-datacenter-azure-edition",
            "Windows",
            127,
            ["26100.7171.260605", "26100.7462.260904"],
        ),
        PlatformImage("MicrosoftWindowsDesktop", "windows-11", "win11-24h2-avd", "Windows", 127, ["26100.7171.260605"]),
    ]


class PlatformCatalogue:
    """Look platform images up, and publish new versions of them."""

    def __init__(self) -> None:
        self._images = marketplace()

    def reset(self) -> None:
        """Forget what was published and withdrawn since the start."""
        self._images = marketplace()

    def changed(self) -> list[dict[str, Any]] | None:
        """Return what is known of the images that are new, or have other versions than at the start; None if none."""
        known = marketplace()
        return [asdict(image) for image in self._images if image not in known] or None

    def restore(self, changed: Iterable[Mapping[str, Any]]) -> None:
        """Take over images with the versions that were published, without those that were withdrawn."""
        for record in changed:
            image = PlatformImage(**record)
            known = self.find(image.publisher, image.offer, image.sku)
            if known is not None:
                self._images.remove(known)
            self._images.append(image)

    def publishers(self) -> list[str]:
        """Return the publishers, in alphabetical order."""
        return sorted({image.publisher for image in self._images})

    def offers(self, publisher: str) -> list[str]:
        """Return a publisher's offers, in alphabetical order."""
        return sorted({image.offer for image in self._images if image.publisher.lower() == publisher.lower()})

    def skus(self, publisher: str, offer: str) -> list[str]:
        """Return an offer's SKUs, in alphabetical order."""
        return sorted(image.sku for image in self._images if image.is_named(publisher, offer, image.sku))

    def find(self, publisher: str, offer: str, sku: str) -> PlatformImage | None:
        """Return the image of these names, in any casing."""
        return next((image for image in self._images if image.is_named(publisher, offer, sku)), None)

    def versions(self, publisher: str, offer: str, sku: str) -> list[str]:
        """Return an image's versions, oldest first; none when there is no such image."""
        image = self.find(publisher, offer, sku)
        return sorted(image.versions, key=version_order) if image else []

    def publish(self, publisher: str, offer: str, sku: str, version: str, **about: str) -> None:
        """Add a version to an image, as its publisher does every few weeks; an image that there is not is made.

        :param about: `os_type` and `hyper_v_generation` of one that is made; by its names and `V2` unless given
        """
        if not VERSION.fullmatch(version):
            raise ValueError(f"{version!r} is not a version: numbers joined by dots.")
        image = self.find(publisher, offer, sku)
        if image is None:
            image = new_image(publisher, offer, sku, **about)
            self._images.append(image)
        for name, value in about.items():
            if getattr(image, name) != value:
                raise ValueError(f"{publisher}:{offer}:{sku} has {name} {getattr(image, name)}.")
        if version not in image.versions:
            image.versions.append(version)

    def withdraw(self, publisher: str, offer: str, sku: str, version: str) -> None:
        """Take a version away, as publishers do with one that is broken."""
        image = self.find(publisher, offer, sku)
        if image is None or version not in image.versions:
            raise LookupError(f"The marketplace has no image {publisher}:{offer}:{sku}:{version}.")
        image.versions.remove(version)


def new_image(
    publisher: str, offer: str, sku: str, *, os_type: str | None = None, hyper_v_generation: str = "V2"
) -> PlatformImage:
    """Return an image without versions; ValueError when that makes no sense."""
    for name in (publisher, offer, sku):
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a publisher, offer or SKU.")
    system = os_type or ("Windows" if "windows" in f"{publisher}{offer}".lower() else "Linux")
    if system not in DISK_SIZES_GB:
        raise ValueError(f"os_type={system!r}: use one of {', '.join(DISK_SIZES_GB)}.")
    if hyper_v_generation not in GENERATIONS:
        raise ValueError(f"hyper_v_generation={hyper_v_generation!r}: use one of {', '.join(GENERATIONS)}.")
    size_gb = DISK_SIZES_GB[system]
    return PlatformImage(publisher, offer, sku, system, size_gb, hyper_v_generation=hyper_v_generation)
