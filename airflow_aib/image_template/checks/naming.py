"""What stands at the top of an image template: its name and its region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_aib.image_template.finding import Finding, error
from airflow_aib.image_template.tables import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate


def check_naming(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a name that Azure refuses, and a missing region."""
    if rendered.name is not None and not re.fullmatch(NAME, rendered.name):
        yield error(
            "/name",
            "name-form",
            f"{rendered.name!r} is no name of an image template",
            "Use 1 to 64 letters, digits, dots, underscores and hyphens.",
        )
    location = rendered.body.get("location")
    if not isinstance(location, str) or not location.strip():
        yield error("/location", "location-required", "The image template has no region", "Write `location`.")
