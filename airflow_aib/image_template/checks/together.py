"""What several image templates must not share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.images import made_image, pinned_version
from airflow_aib.image_template.checks.reading import distributors_of, properties_of, text_of
from airflow_aib.image_template.examination import counting_findings
from airflow_aib.image_template.finding import Finding, warning, worst_first
from airflow_aib.image_template.unknown import holds_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_aib.image_template.render import RenderedImageTemplate

    # What nobody else may have, each with its place.
    Claims = Iterator[tuple[str, str]]


def check_together(rendered: Sequence[RenderedImageTemplate]) -> list[Finding]:
    """Give all that is found about image templates beside each other; the later one of two is pointed at.

    :param rendered: those that are, or may be, submitted together
    """
    found: list[Finding] = []
    for claims, rule, message, hint in _CLAIMS:
        first: dict[str, RenderedImageTemplate] = {}
        for one in rendered:
            findings = []
            for key, path in claims(one):
                owner = first.setdefault(key, one)
                if owner is not one:
                    findings.append(warning(path, rule, f"{message} {_named(owner)}", hint))
            found.extend(counting_findings(findings, one))
    return worst_first(found)


def _named(rendered: RenderedImageTemplate) -> str:
    return f"{rendered.name!r} in {rendered.source}" if rendered.name else rendered.source


def _staging_group(rendered: RenderedImageTemplate) -> Claims:
    group_id = text_of(properties_of(rendered), "stagingResourceGroup")
    if _is_known(group_id):
        yield group_id.casefold(), "/properties/stagingResourceGroup"


def _name(rendered: RenderedImageTemplate) -> Claims:
    """Give the name, within its file: other files may hold the same image template for another place."""
    if _is_known(rendered.name or ""):
        yield f"{rendered.source}\n{(rendered.name or '').casefold()}", "/name"


def _gallery_version(rendered: RenderedImageTemplate) -> Claims:
    for path, distributor in distributors_of(properties_of(rendered)):
        image_id = text_of(distributor, "galleryImageId")
        if pinned_version(image_id) and _is_known(image_id):
            yield image_id.casefold(), f"{path}/galleryImageId"


def _managed_image(rendered: RenderedImageTemplate) -> Claims:
    for path, distributor in distributors_of(properties_of(rendered)):
        if text_of(distributor, "type") == "ManagedImage" and _is_known(text_of(distributor, "imageId")):
            yield made_image(distributor), f"{path}/imageId"


def _is_known(text: str) -> bool:
    return bool(text) and not holds_unknown(text)


_CLAIMS: tuple[tuple[Callable[[RenderedImageTemplate], Claims], str, str, str], ...] = (
    (_name, "name-repeated", "The name is also that of", "Rename one."),
    (
        _staging_group,
        "staging-shared",
        "The staging resource group is also that of",
        "Give each image template a group of its own, or none.",
    ),
    (_gallery_version, "version-shared", "The same version is also made by", "Leave `/versions/...` out."),
    (_managed_image, "managed-image-shared", "The same managed image is also made by", "Name another image."),
)
