"""The table of all checks.

An error means that the service refuses the document or that the build cannot work. Whatever we are not sure of is a
warning: a document that the service accepts never gets an error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.customize import check_customize
from airflow_aib.image_template.checks.distribute import check_distribute
from airflow_aib.image_template.checks.identity import check_identity
from airflow_aib.image_template.checks.members import check_members
from airflow_aib.image_template.checks.naming import check_naming
from airflow_aib.image_template.checks.source import check_source
from airflow_aib.image_template.checks.timeouts import check_timeouts
from airflow_aib.image_template.checks.vm_profile import check_vm_profile
from airflow_aib.image_template.finding import Finding, worst_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate

CHECKS: tuple[Callable[[RenderedImageTemplate], Iterator[Finding]], ...] = (
    check_naming,
    check_identity,
    check_members,
    check_source,
    check_customize,
    check_distribute,
    check_timeouts,
    check_vm_profile,
)


def check(rendered: RenderedImageTemplate) -> list[Finding]:
    """Examine a rendered image template; give all findings, worst first, without any secret."""
    findings = [finding for examine in CHECKS for finding in examine(rendered)]
    return worst_first([_without_secrets(finding, rendered.secrets) for finding in findings])


def _without_secrets(finding: Finding, secrets: Iterable[str]) -> Finding:
    path, message, hint = finding.path, finding.message, finding.hint
    for secret in sorted(secrets, key=len, reverse=True):
        path, message, hint = (text.replace(secret, "***") for text in (path, message, hint))
    return replace(finding, path=path, message=message, hint=hint)
