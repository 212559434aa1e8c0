"""The one place where the command line meets the image templates: rendered and examined with a call's values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.kinds import API_VERSION
from airflow_aib.image_template.parameters import secure_texts
from airflow_aib.image_template.render import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.examination import Examination
    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.render import RenderedImageTemplate

API_VERSIONS = (API_VERSION,)
UNUSED = "parameter-unused"


def documents_in(source: Source) -> tuple[ImageTemplateDocument, ...]:
    """Read all image templates of a file."""
    return documents_of(source.text())


def rendered_to_submit(document: ImageTemplateDocument, values: CallValues) -> RenderedImageTemplate:
    """Render an image template as it would be submitted: every value must be known."""
    return render(document, values.parameters_for(document), values.context)


def rendered_to_check(document: ImageTemplateDocument, values: CallValues) -> RenderedImageTemplate:
    """Render an image template in order to examine it."""
    return render(document, values.parameters_for(document), values.context)


def examined(rendered: RenderedImageTemplate, disabled: Mapping[str, str]) -> Examination:
    """Examine an image template.

    :param disabled: rules that do not count, each with the reason
    """
    return examine(rendered, disabled=disabled)


def secrets_of(document: ImageTemplateDocument, values: CallValues) -> frozenset[str]:
    """Give the texts of a document's secure parameters, whether it can be rendered or not."""
    return secure_texts(document, values.parameters_for(document))


def require_known(api_version: str | None) -> None:
    """Refuse an api-version without tables."""
    if api_version is not None and api_version not in API_VERSIONS:
        raise UnusableCallError(f"--api-version: {api_version!r} is not known; these are: {', '.join(API_VERSIONS)}.")


def names_nobody_asks_for(findings_by_document: Sequence[Sequence[Finding]], names: Iterable[str]) -> list[str]:
    """Give those of the names that no image template asks for.

    :param findings_by_document: what rendering noticed, for each image template
    """
    return [
        name
        for name in names
        if findings_by_document
        and all(any(_is_about(finding, name) for finding in findings) for findings in findings_by_document)
    ]


def _is_about(finding: Finding, name: str) -> bool:
    return finding.rule == UNUSED and finding.message.endswith(f" {name!r}")
