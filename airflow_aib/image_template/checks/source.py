"""The image from which a build starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import check_id, mapping, properties_of
from airflow_aib.image_template.finding import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

MANAGED_IMAGE = "Microsoft.Compute/images"
GALLERY_IMAGE_VERSION = "Microsoft.Compute/galleries/images/versions"


def check_source(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a source that is no longer there, or whose id cannot be one."""
    source, path = mapping(properties_of(rendered).get("source")), "/properties/source"
    kind = str(source.get("type", ""))
    if kind.casefold() == "iso":
        yield from retired_source(source, path)
    elif kind == "PlatformImage":
        yield from _platform_image(source, path)
    elif kind == "ManagedImage":
        yield from check_id(source, "imageId", path, MANAGED_IMAGE)
    elif kind == "SharedImageVersion":
        yield from check_id(source, "imageVersionId", path, GALLERY_IMAGE_VERSION)


def _platform_image(source: Mapping[str, Any], path: str) -> Iterator[Finding]:
    missing = [member for member in ("publisher", "offer", "sku") if not source.get(member)]
    if missing:
        # The official schema takes it so; what the service says to it is not known.
        yield warning(
            path,
            "source-incomplete",
            f"The platform image has no {', '.join(missing)}, so there is no image to find",
            "Add what is missing, as `az vm image list` shows it.",
        )
    if not source.get("version"):
        yield warning(f"{path}/version", "source-version", "The source names no version", "Write 'latest', or one.")


def retired_source(source: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Report a source that no api-version of today has."""
    if str(source.get("type", "")).casefold() == "iso":
        yield error(
            f"{path}/type",
            "source-iso-retired",
            "AIB takes no image templates with ISO sources since 31 March 2020, and builds none since 30 April 2020",
            "Use a PlatformImage; for Red Hat Enterprise Linux there are images with your own subscription (BYOS).",
        )
