from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body

if TYPE_CHECKING:
    from airflow_aib.image_template.render import RenderedImageTemplate

SECRET = "Hunter2/more"
ODD_SECRETS = ["hunter2\nnext-line", "hunter2'both\"quotes", "hunter2\\back", "hunter2/a~b", "hünter2"]


def rendered(value: str, secret: str = SECRET, **variables: Any) -> RenderedImageTemplate:
    """Render a document that writes a text, made of a secure parameter or not, wherever something is wrong with it."""
    wrong = body(vmProfile={"vmSize": value}, **{value: 1})
    wrong |= {"location": value, "type": "Microsoft.VirtualMachineImages/imageTemplates"}
    deployment = {"parameters": {"token": {"type": "securestring"}}, "variables": variables, "resources": [wrong]}
    return render(read_document(deployment), {"token": secret}, CONTEXT)


def said(result: RenderedImageTemplate) -> str:
    """Return all that is shown of a rendered image template."""
    return json.dumps([finding.to_json() for finding in check(result)]) + repr(result)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("[toUpper(parameters('token'))]", "HUNTER2/MORE"),
        ("[substring(parameters('token'), 0, 7)]", "Hunter2"),
        ("[split(parameters('token'), '/')[1]]", "more"),
        ("[base64(parameters('token'))]", "SHVudGVyMi9tb3Jl"),
        ("[toLower(substring(parameters('token'), 0, 7))]", "hunter2"),
        ("[json(concat('{\"word\": \"', skip(parameters('token'), 3), '\"}')).word]", "ter2/more"),
        ("[variables('made')]", "hunter2/more"),
    ],
)
def test_what_an_expression_makes_of_a_secret_is_one(expression: str, text: str) -> None:
    """A text that a function makes of a secure parameter is as secret as that."""
    result = rendered(expression, made="[toLower(parameters('token'))]")

    assert result.body["location"] == text
    assert text in result.secrets
    assert text not in said(result)


@pytest.mark.parametrize(
    "expression",
    [
        "[if(equals(toLower(parameters('token')), 'x'), 'eastus', 'westus')]",
        "[if(empty(parameters('token')), parameters('token'), 'westus')]",
        "[substring(concat('westus', parameters('token')), 0, 6)]",
        '[json(concat(\'{"region": "westus", "word": "\', parameters(\'token\'), \'"}\')).region]',
        "[union(createObject('a', parameters('token')), createObject('b', 'westus')).b]",
        "[last(createArray(parameters('token'), 'westus'))]",
    ],
)
def test_what_comes_of_anything_else_is_none(expression: str) -> None:
    """A text that stands beside a secret stays readable."""
    result = rendered(expression)

    assert result.body["location"] == "westus"
    assert not {"eastus", "westus"} & result.secrets


@pytest.mark.parametrize("secret", ODD_SECRETS)
def test_a_secret_is_hidden_however_it_is_quoted(secret: str) -> None:
    """No finding and no representation shows it with the quotes, escapes or pointers of another language."""
    shown = said(rendered("[concat('x', parameters('token'))]", secret))

    assert "***" in shown
    assert [part for part in ("unter2", "next-line", "both", "back") if part in shown] == []


@pytest.mark.parametrize(
    "expression",
    ["[variables(parameters('token'))]", "[resourceGroup()[parameters('token')]]", "[parameters(parameters('token'))]"],
)
def test_no_error_of_rendering_quotes_a_secret(expression: str) -> None:
    """Names that expressions look up may be secret."""
    with pytest.raises(ImageTemplateRenderError) as caught:
        rendered(expression)

    assert SECRET not in f"{caught.value} {caught.value.data}"


def test_a_secret_cannot_be_taken_to_many_pieces() -> None:
    """There is a bound to what has to be hidden."""
    with pytest.raises(ImageTemplateRenderError, match="more than 1000 texts of a secret"):
        rendered("[split(parameters('token'), ' ')[0]]", " ".join(f"word-{number}" for number in range(1001)))
