"""The image from which a build starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.reading import check_id, mapping, properties_of
from airflow_aib.image_template.finding import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate

MANAGED_IMAGE = "Microsoft.Compute/images"
GALLERY_IMAGE_VERSION = "Microsoft.Compute/galleries/images/versions"


def check_source(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a source that is no longer there, or whose id cannot be one."""
    source, path = mapping(properties_of(rendered).get("source")), "/properties/source"
    kind = str(source.get("type", ""))
    if kind.casefold() == "iso":
        yield error(
            f"{path}/type",
            "source-iso-retired",
            "AIB takes no image templates with ISO sources since 31 March 2020, and builds none since 30 April 2020",
            "Use a PlatformImage; for Red Hat Enterprise Linux there are images with your own subscription (BYOS).",
        )
    elif kind == "PlatformImage" and not source.get("version"):
        yield warning(f"{path}/version", "source-version", "The source names no version", "Write 'latest', or one.")
    elif kind == "ManagedImage":
        yield from check_id(source, "imageId", path, MANAGED_IMAGE)
    elif kind == "SharedImageVersion":
        yield from check_id(source, "imageVersionId", path, GALLERY_IMAGE_VERSION)
