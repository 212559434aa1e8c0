"""How long a build may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.reading import properties_of
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.members.kinds import target_os

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate

SHORTEST_MINUTES = 6
ADVISED_WINDOWS_MINUTES = 60

_PATH = "/properties/buildTimeoutInMinutes"


def check_timeouts(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a build time in which no build can end; the longest one is the tables' affair."""
    properties = properties_of(rendered)
    minutes = properties.get("buildTimeoutInMinutes")
    if not isinstance(minutes, int) or isinstance(minutes, bool) or minutes <= 0:
        return
    if minutes < SHORTEST_MINUTES:
        yield error(
            _PATH,
            "timeout-too-short",
            f"AIB fails every build with {minutes} minutes",
            f"Write 0, which means 240, or at least {SHORTEST_MINUTES}.",
        )
    elif minutes < ADVISED_WINDOWS_MINUTES and target_os(properties) == "Windows":
        yield warning(
            _PATH,
            "timeout-windows",
            f"{minutes} minutes are short for Windows",
            f"Microsoft advises at least {ADVISED_WINDOWS_MINUTES}.",
        )
