"""Addresses of scripts and files, and the checksums of what is fetched there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import mapping, properties_of, steps_of, text_of
from airflow_aib.image_template.finding import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

_ADDRESS = re.compile(r"https?://[^\s/]+/\S*", re.IGNORECASE)
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
# Images of disks and installation media, and Windows updates, which have hundreds of megabytes.
_LARGE = (".esd", ".img", ".iso", ".msu", ".ova", ".qcow2", ".vhd", ".vhdx", ".vmdk", ".wim")


def check_addresses(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report addresses from which nothing can be fetched, or not safely, and checksums that nothing can have."""
    properties = properties_of(rendered)
    workload = mapping(mapping(properties.get("optimize")).get("workload"))
    for path, owner in (*steps_of(properties), ("/properties/optimize/workload", workload)):
        for member in ("scriptUri", "sourceUri"):
            yield from _address(text_of(owner, member), f"{path}/{member}")
        yield from _checksum(owner, f"{path}/sha256Checksum")


def _address(address: str, path: str) -> Iterator[Finding]:
    # The address itself may hold a signature: it is never quoted.
    if address and not _ADDRESS.fullmatch(address):
        yield warning(path, "address-form", f"{path.rpartition('/')[2]!r} is no http address", "Use https.")
    elif address[:5].casefold() == "http:":
        yield warning(
            path,
            "address-insecure",
            "What is fetched without TLS can be changed on its way into the image",
            "Use https.",
        )
    file = address.partition("?")[0].casefold()
    if path.endswith("/sourceUri") and file.endswith(_LARGE):
        yield warning(
            path,
            "file-large",
            f"A File step is good for files below 20 MB, and {file.rpartition('.')[2]} files are mostly larger",
            "Fetch it in a script, with curl, wget or Invoke-WebRequest.",
        )


def _checksum(owner: Mapping[str, Any], path: str) -> Iterator[Finding]:
    checksum = text_of(owner, "sha256Checksum")
    if not checksum:
        return
    if not _CHECKSUM.fullmatch(checksum):
        yield error(
            path,
            "checksum-form",
            "The checksum is not 64 hexadecimal digits, so no file can have it",
            "Write what `sha256sum FILE` prints, or leave it out.",
        )
    elif checksum != checksum.lower():
        yield warning(path, "checksum-case", "The checksum has capital letters", "Write it in small letters.")
    if not (owner.get("scriptUri") or owner.get("sourceUri")):
        yield warning(
            path,
            "checksum-alone",
            "The checksum stands beside no address, so nothing is compared with it",
            "Add the address, or leave the checksum out.",
        )
