"""Short ways to ask for findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks import check
from tests.unit.airflow_aib.image_template.sample_documents import body, rendered

if TYPE_CHECKING:
    from airflow_aib.image_template.finding import Finding


def findings(image_template: dict[str, Any] | None = None, **properties: Any) -> list[Finding]:
    """Check a body, or the good one with some properties replaced."""
    return check(rendered(image_template or body(**properties)))


def rules(image_template: dict[str, Any] | None = None, **properties: Any) -> list[str]:
    """Return severity and rule of each finding, as `error customize-name-unique`."""
    return [f"{finding.severity} {finding.rule}" for finding in findings(image_template, **properties)]


def customizer_rules(*customizers: dict[str, Any], **properties: Any) -> list[str]:
    """Check customizers."""
    return rules(customize=[*customizers], **properties)
