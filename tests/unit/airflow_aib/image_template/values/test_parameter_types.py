from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body


def declaring(declaration: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Build a deployment file of one parameter, and an image template that asks for it."""
    resource = {"type": "Microsoft.VirtualMachineImages/imageTemplates", **body(x="[parameters('p')]", **more)}
    return {"parameters": {"p": declaration}, "resources": [resource]}


@pytest.mark.parametrize("depth", [61, 200_000])
def test_text_of_too_many_levels(depth: int) -> None:
    """Text that becomes a list is held to the same depth as a list."""
    document = declaring({"type": "array"})

    with pytest.raises(ImageTemplateRenderError, match="parameter 'p' is nested too deeply"):
        render(read_document(document), {"p": "[" * depth + "]" * depth}, CONTEXT)


WRONG_DEFAULTS = [
    ({"type": "int", "maxValue": 960, "defaultValue": 961}, "breaks its maxValue of 960"),
    ({"type": "string", "allowedValues": ["a"], "defaultValue": "[toLower('B')]"}, "must be one of 'a'"),
    ({"type": "object", "defaultValue": [1]}, "must be of type object, not array"),
    ({"type": "securestring", "minLength": 20, "defaultValue": "hunter22"}, "breaks its minLength of 20"),
]


@pytest.mark.parametrize(("declaration", "problem"), WRONG_DEFAULTS)
def test_a_default_keeps_to_its_declaration(declaration: dict[str, Any], problem: str) -> None:
    """Azure would refuse it, and says so of a default as of any other value; a secret one is not quoted."""
    document = declaring(declaration)

    with pytest.raises(ImageTemplateRenderError, match=f"the default of parameter 'p' {problem}") as caught:
        render(read_document(document), {}, CONTEXT)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(("declaration", "problem"), WRONG_DEFAULTS)
def test_a_default_may_be_replaced_later(declaration: dict[str, Any], problem: str) -> None:
    """A check warns once of a default that only counts if nobody passes another value."""
    document = declaring(declaration, y="[parameters('P')]")
    result = render(read_document(document), {}, CONTEXT, allow_unknown=True)

    assert [(finding.rule, finding.path) for finding in result.findings] == [("parameter-default", "/properties/x")]
    assert problem in result.findings[0].message


def test_a_default_as_text_becomes_the_declared_type() -> None:
    """A default is brought to its type as values that are passed are."""
    document = declaring({"type": "int", "defaultValue": "90"})

    assert render(read_document(document), {}, CONTEXT).body["properties"]["x"] == 90
