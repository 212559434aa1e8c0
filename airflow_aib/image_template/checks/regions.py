"""Regions: where the image template is built, and to where the image is replicated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import distributors_of, objects, properties_of, text_of
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.region import normal_region
from airflow_aib.image_template.region_names import meant_regions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

_REGION = re.compile(r"[a-z][a-z0-9]+")
_GALLERY = re.compile(r".*/galleries/(?P<name>[^/]+)/images/.*", re.IGNORECASE)


def check_regions(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report regions that are none, stand twice, or miss the gallery's own."""
    yield from _form(rendered.body.get("location"), "/location")
    for path, distributor in distributors_of(properties_of(rendered)):
        yield from _form(distributor.get("location"), f"{path}/location")
        regions = list(_regions(distributor, path))
        yield from _each(regions)
        if distributor.get("replicationRegions") and not distributor.get("targetRegions"):
            yield warning(
                f"{path}/replicationRegions",
                "regions-deprecated",
                "'replicationRegions' is deprecated since api-version 2022-07-01",
                "Write targetRegions, each region as an object with its name.",
            )
        home = _gallery_region(rendered, distributor)
        if regions and home and home not in {normal_region(name) for _, name in regions}:
            member = "targetRegions" if distributor.get("targetRegions") else "replicationRegions"
            yield warning(
                f"{path}/{member}",
                "regions-gallery",
                f"The gallery's own region, {home}, is not among the regions",
                "Add it: a version is made there and replicated to the others.",
            )


def _regions(distributor: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    names, regions = distributor.get("replicationRegions"), distributor.get("targetRegions")
    for index, name in enumerate(names if isinstance(names, list) and not regions else ()):
        if isinstance(name, str):
            yield f"{path}/replicationRegions/{index}", name
    for place, region in objects(regions, f"{path}/targetRegions"):
        if text_of(region, "name"):
            yield f"{place}/name", text_of(region, "name")


def _each(regions: list[tuple[str, str]]) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, name in regions:
        yield from _form(name, place)
        if normal_region(name) in seen:
            yield warning(place, "region-repeated", f"The region {name!r} stands there twice", "Remove one.")
        seen.add(normal_region(name))


def _form(name: Any, path: str) -> Iterator[Finding]:
    if not isinstance(name, str) or not name.strip():
        return
    if not _REGION.fullmatch(normal_region(name)):
        yield warning(
            path, "region-form", f"{name!r} is no name of a region", "Write it as `az account list-locations` does."
        )
    elif meant := meant_regions(normal_region(name)):
        *others, last = map(repr, meant)
        choice = f"{', '.join(others)} or {last}" if others else last
        yield warning(path, "region-unknown", f"No region {name!r} is known", f"Is {choice} meant?")


def _gallery_region(rendered: RenderedImageTemplate, distributor: Mapping[str, Any]) -> str | None:
    """Give the region of the gallery, where the deployment file makes it."""
    named = _GALLERY.fullmatch(text_of(distributor, "galleryImageId"))
    for sibling in rendered.siblings if named else ():
        is_gallery = sibling.resource_type.casefold() == "microsoft.compute/galleries"
        if named and is_gallery and sibling.name.casefold() == named["name"].casefold():
            region = normal_region(sibling.location)
            return region if _REGION.fullmatch(region) else None
    return None
