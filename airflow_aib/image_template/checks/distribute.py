"""Where the image goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import check_id, mapping, objects, properties_of
from airflow_aib.image_template.checks.source import GALLERY_IMAGE_VERSION, MANAGED_IMAGE
from airflow_aib.image_template.finding import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

GALLERY_IMAGE = "Microsoft.Compute/galleries/images"

_BLOB_ADDRESS = re.compile(r"https://[^\s/]+/[^\s/]+/\S+", re.IGNORECASE)


def check_distribute(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report distributors that AIB refuses."""
    properties = properties_of(rendered)
    distribute = properties.get("distribute")
    if distribute == []:
        only_validates = mapping(properties.get("validate")).get("sourceValidationOnly") is True
        yield (warning if only_validates else error)(
            "/properties/distribute", "distribute-empty", "No distributor says where the image goes", "Write one."
        )
    distributors = list(objects(distribute, "/properties/distribute"))
    yield from _unique_names(distributors)
    for path, distributor in distributors:
        yield from _KIND_CHECKS.get(str(distributor.get("type")), _nothing)(distributor, path)


def _unique_names(distributors: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Finding]:
    first: dict[str, tuple[str, str]] = {}
    for path, distributor in distributors:
        name = distributor.get("runOutputName")
        if not isinstance(name, str) or not name:
            continue
        # Azure's resource names ignore letter case.
        if name.casefold() in first:
            earlier, earlier_name = first[name.casefold()]
            # That names of this kind of resource ignore letter case is general, and was not seen here.
            yield (error if name == earlier_name else warning)(
                f"{path}/runOutputName", "run-output-name-unique", f"The name {name!r} has {earlier} too", "Rename one."
            )
        first.setdefault(name.casefold(), (path, name))


def _managed_image(distributor: Mapping[str, Any], path: str) -> Iterator[Finding]:
    yield from check_id(distributor, "imageId", path, MANAGED_IMAGE)


def _shared_image(distributor: Mapping[str, Any], path: str) -> Iterator[Finding]:
    # With a version at its end, the version is pinned.
    yield from check_id(distributor, "galleryImageId", path, GALLERY_IMAGE, GALLERY_IMAGE_VERSION)
    if distributor.get("targetRegions") and distributor.get("replicationRegions"):
        yield error(
            f"{path}/replicationRegions",
            "regions-twice",
            "'replicationRegions' and 'targetRegions' exclude each other",
            "Keep targetRegions, which is the newer one.",
        )
    if distributor.get("storageAccountType") and not distributor.get("replicationRegions"):
        yield warning(
            f"{path}/storageAccountType",
            "storage-account-type",
            "'storageAccountType' counts only beside 'replicationRegions'",
            "Write it into each of targetRegions.",
        )


def _vhd(distributor: Mapping[str, Any], path: str) -> Iterator[Finding]:
    address = distributor.get("uri")
    if isinstance(address, str) and address and not _BLOB_ADDRESS.fullmatch(address):
        yield warning(
            f"{path}/uri",
            "vhd-uri-form",
            "'uri' does not look like the address of a blob",
            "As https://<account>.blob.core.windows.net/<container>/<name>.vhd.",
        )


def _nothing(_distributor: Mapping[str, Any], _path: str) -> Iterator[Finding]:
    yield from ()


_KIND_CHECKS = {"ManagedImage": _managed_image, "SharedImage": _shared_image, "VHD": _vhd}
