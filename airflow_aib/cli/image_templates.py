"""The one place where the command line meets the image templates: rendered and examined with a call's values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.image_template.checks import check_together, examine
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.members.api_versions import API_VERSIONS, is_newer
from airflow_aib.image_template.render import render
from airflow_aib.image_template.unknown import unknown
from airflow_aib.image_template.values.parameters import RenderContext, secure_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.examination import Examination
    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.render import RenderedImageTemplate

# Any moment will do in order to check: what is found must not depend on when.
SOME_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def documents_in(source: Source) -> tuple[ImageTemplateDocument, ...]:
    """Read all image templates of a file."""
    return documents_of(source.text())


def rendered_to_submit(document: ImageTemplateDocument, values: CallValues) -> RenderedImageTemplate:
    """Render an image template as it would be submitted: every value must be known, and its place be said."""
    place = {name: value or "" for name, value in values.place.items()}
    return render(document, values.parameters_for(document), RenderContext(**place, now=values.now))


def rendered_to_check(document: ImageTemplateDocument, values: CallValues) -> RenderedImageTemplate:
    """Render an image template in order to examine it: what the call does not say is unknown."""
    place = {name: value or unknown(name) for name, value in values.place.items()}
    context = RenderContext(**place, now=values.now or SOME_MOMENT)
    return render(document, values.parameters_for(document), context, allow_unknown=True)


def examined(rendered: RenderedImageTemplate, disabled: Mapping[str, str], api_version: str | None) -> Examination:
    """Examine an image template.

    :param disabled: rules that do not count, each with the reason
    :param api_version: compare with its tables
    """
    return examine(rendered, disabled=disabled, api_version=api_version)


def examined_together(rendered: Sequence[RenderedImageTemplate]) -> list[Finding]:
    """Examine the image templates of a call beside each other."""
    return check_together(rendered)


def secrets_of(document: ImageTemplateDocument, values: CallValues) -> frozenset[str]:
    """Give the texts of a document's secure parameters, whether it can be rendered or not."""
    return secure_texts(document, values.parameters_for(document))


def require_known(api_version: str | None) -> None:
    """Refuse an api-version that never was; one that is newer than ours may exist."""
    if api_version is not None and api_version not in API_VERSIONS and not is_newer(api_version):
        raise UnusableCallError(f"--api-version: {api_version!r} is not known; these are: {', '.join(API_VERSIONS)}.")
