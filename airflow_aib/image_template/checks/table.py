"""The table of all checks.

An error means that the service refuses the document or that the build cannot work. Whatever we are not sure of is a
warning: a document that the service accepts gets no error, unless it shows a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.addresses import check_addresses
from airflow_aib.image_template.checks.customize import check_customize
from airflow_aib.image_template.checks.distribute import check_distribute
from airflow_aib.image_template.checks.generalize import check_generalize
from airflow_aib.image_template.checks.identity import check_identity
from airflow_aib.image_template.checks.images import check_images
from airflow_aib.image_template.checks.members import check_as_written, check_members
from airflow_aib.image_template.checks.naming import check_naming
from airflow_aib.image_template.checks.outdated import check_outdated
from airflow_aib.image_template.checks.regions import check_regions
from airflow_aib.image_template.checks.scripts import check_scripts
from airflow_aib.image_template.checks.secrets import check_secrets
from airflow_aib.image_template.checks.source import check_source
from airflow_aib.image_template.checks.staging import check_staging
from airflow_aib.image_template.checks.timeouts import check_timeouts
from airflow_aib.image_template.checks.validate import check_validate
from airflow_aib.image_template.checks.vm_profile import check_vm_profile
from airflow_aib.image_template.examination import Examination, examination_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.render import RenderedImageTemplate

CHECKS: tuple[Callable[[RenderedImageTemplate], Iterator[Finding]], ...] = (
    check_naming,
    check_identity,
    check_members,
    check_outdated,
    check_source,
    check_customize,
    check_addresses,
    check_scripts,
    check_generalize,
    check_validate,
    check_distribute,
    check_images,
    check_regions,
    check_timeouts,
    check_vm_profile,
    check_staging,
    check_secrets,
)


def check(rendered: RenderedImageTemplate) -> list[Finding]:
    """Give all that is found about a rendered image template and counts, worst first, without any secret."""
    return list(examine(rendered).findings)


def examine(
    rendered: RenderedImageTemplate, *, api_version: str | None = None, disabled: Mapping[str, str] | None = None
) -> Examination:
    """Examine a rendered image template; give all findings, also what was noticed while it was read and rendered.

    :param api_version: compare the document as it is written with the tables of this one. Without it, what we submit is
        compared with those of the current one
    :param disabled: rules that do not count, each with the reason, beside those that the document itself names
    """
    return examination_of([*rendered.findings, *_looks(rendered, api_version)], rendered, disabled or {})


def _looks(rendered: RenderedImageTemplate, api_version: str | None) -> Iterator[Finding]:
    for look in CHECKS:
        if api_version is None:
            yield from look(rendered)
        elif look is check_members:
            yield from check_as_written(rendered, api_version)
        elif look is not check_outdated:
            yield from (found for found in look(rendered) if api_version >= _SINCE.get(found.rule, ""))


# Before these api-versions there was nothing to ask for: no identity, and no other way to write regions.
_SINCE = {"identity-required": "2020-02-14", "regions-deprecated": "2022-07-01"}
