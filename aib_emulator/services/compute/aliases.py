"""Short names of marketplace images, as the az command line looks them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aib_emulator.services.compute.catalogue import PlatformCatalogue

ALIASES = {
    "Debian12": ("Debian", "debian-12", "12-gen2"),
    "Ubuntu2204": ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"),
    "Ubuntu2404": ("Canonical", "ubuntu-24_04-lts", "server"),
    "Win2022AzureEdition": ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-azure-edition"),
    "Win2025AzureEdition": ("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition"),
}


def alias_document(catalogue: PlatformCatalogue) -> dict[str, Any]:
    """Return the aliases in the form that `vmImageAliasDoc` of a cloud has, by operating system."""
    by_system: dict[str, dict[str, Any]] = {"Linux": {}, "Windows": {}}
    for alias, names in ALIASES.items():
        image = catalogue.find(*names)
        if image is not None:
            entry = {"publisher": image.publisher, "offer": image.offer, "sku": image.sku, "version": "latest"}
            by_system[image.os_type][alias] = {**entry, "architecture": image.architecture}
    return {"outputs": {"aliases": {"type": "object", "value": by_system}}}
