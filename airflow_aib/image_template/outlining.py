"""Outline documents: a module of its own, since whoever remembers outlines need not load what makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.image_template.document import read_documents
from airflow_aib.image_template.outline import Outline
from airflow_aib.image_template.parameters_file import read_parameters
from airflow_aib.image_template.render import RenderContext, render
from airflow_aib.image_template.resource_id import image_definition_names
from airflow_aib.image_template.unknown import holds_unknown

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_aib.image_template.document import ImageTemplateDocument


def outlines(document: Path, parameters: Mapping[str, Any] | Path, resource_group_name: str) -> list[Outline]:
    """Describe each image template in a file; one that cannot be read is described by its error.

    :param document: the file
    :param parameters: what is known of its parameters and placeholders, or the file that holds them
    :param resource_group_name: where the image templates will live
    """
    try:
        values = parameters if isinstance(parameters, Mapping) else read_parameters(parameters)
        return [outline(found, values, resource_group_name) for found in read_documents(document)]
    except ImageBuilderError as error:
        return [Outline(trouble=str(error))]


def outline(document: ImageTemplateDocument, parameters: Mapping[str, Any], resource_group_name: str) -> Outline:
    """Describe a document; values that only a run knows stay unknown.

    :param parameters: what is known of its parameters and placeholders
    :param resource_group_name: where the image template will live
    """
    # The subscription is the connection's, and a DAG file reads no connection.
    context = RenderContext("00000000-0000-0000-0000-000000000000", resource_group_name)
    try:
        rendered = render(document, parameters, context, allow_unknown=True)
    except ImageBuilderError as error:
        return Outline(trouble=str(error))
    distribute = (rendered.body.get("properties") or {}).get("distribute")
    distributors = [item for item in distribute if isinstance(item, dict)] if isinstance(distribute, list) else []
    gallery, image_definition = _first_image(distributors)
    return Outline(
        name=rendered.name if rendered.name and not holds_unknown(rendered.name) else None,
        leaves_vhd=any(item.get("type") == "VHD" and not item.get("uri") for item in distributors),
        gallery=gallery,
        image_definition=image_definition,
    )


def _first_image(distributors: list[dict[str, Any]]) -> tuple[str | None, str | None]:
    """Give gallery and image definition of the first distributor into a gallery, as far as both are known."""
    for item in distributors:
        if item.get("type") == "SharedImage":
            names = image_definition_names(str(item.get("galleryImageId") or ""))
            if names is not None and not holds_unknown(names):
                return names
    return None, None
