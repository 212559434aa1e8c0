"""What stands at the top of an image template: its name and its region, its type and its api-version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.spelling import nearest
from airflow_aib.image_template.document import IMAGE_TEMPLATE_TYPE
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS
from airflow_aib.image_template.members.tables import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate


def check_naming(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a name that Azure refuses, a missing region, and what is written as type and api-version and is none."""
    yield from _words(rendered)
    if rendered.name is not None and not re.fullmatch(NAME, rendered.name):
        yield error(
            "/name",
            "name-form",
            f"{rendered.name!r} is no name of an image template",
            "Use 1 to 64 letters, digits, dots, underscores and hyphens.",
        )
    yield from _region(rendered.body.get("location"))


def _region(location: Any) -> Iterator[Finding]:
    path, rule = "/location", "location-required"
    if location is None:
        yield error(path, rule, "The image template has no region", "Write `location`.")
    elif not isinstance(location, str):
        yield error(path, rule, "The region must be text", "Write its name.")
    elif not location.strip():
        yield error(path, rule, "The region is empty", "Write its name.")


def _words(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report what a deployment of Azure's own would refuse; what is submitted here says neither."""
    written = rendered.document.body.get("type") if rendered.document else None
    # Reading the document has let nothing pass but the short form, and other letter case, which Azure ignores.
    if isinstance(written, str) and written.casefold() != IMAGE_TEMPLATE_TYPE.casefold():
        yield warning(
            "/type",
            "member-value",
            f"{written!r} is not the whole type of the resource",
            f"Write {IMAGE_TEMPLATE_TYPE!r}.",
        )
    api_version = rendered.api_version
    if api_version is not None and api_version not in API_VERSIONS:
        yield warning(
            "/apiVersion",
            "api-version-unknown",
            f"The api-version {api_version!r} is not known; {API_VERSION} is submitted",
            nearest(api_version, reversed(API_VERSIONS)),
        )
