from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderContext, render
from tests.unit.airflow_aib.image_template.sample_documents import body

CONTEXT = RenderContext("s", "rg")
TYPE = "Microsoft.VirtualMachineImages/imageTemplates"


def hint(document: dict[str, Any], path: str, **parameters: Any) -> str:
    """Give what is advised about a place."""
    found = check(render(read_document(document), parameters, CONTEXT))
    return next(finding.hint for finding in found if finding.path.endswith(path))


def deployment(timeout: str) -> dict[str, Any]:
    """Write a deployment file whose build timeout is an expression."""
    return {
        "parameters": {"minutes": {"type": "int", "defaultValue": 2}},
        "variables": {"short": 3},
        "resources": [{**body(buildTimeoutInMinutes=timeout), "type": TYPE, "name": "linux"}],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "Write its name. The value comes from parameter 'region'."),
        (" ", "Write its name. The value comes from parameter 'region'."),
        ("eats us", "Is 'eastus' meant? The value comes from parameter 'region'."),
    ],
)
def test_a_wrong_value_is_told_with_its_parameter(value: object, expected: str) -> None:
    """What was passed is not blamed on the document, in which the placeholder stands as it should."""
    assert hint({**body(), "location": "<region>"}, "/location", region=value) == expected


def test_a_value_that_stands_there_has_no_parameter() -> None:
    """What the document says itself needs no word about its origin."""
    assert hint({**body(), "location": "eatsus"}, "/location") == "Is 'eastus' meant?"


@pytest.mark.parametrize(
    ("timeout", "origin"),
    [
        ("[parameters('minutes')]", "parameter 'minutes'"),
        ("[variables('short')]", "variable 'short'"),
        ("[add(parameters('minutes'), variables('short'))]", "parameter 'minutes' and variable 'short'"),
    ],
)
def test_expressions_name_what_they_are_made_of(timeout: str, origin: str) -> None:
    """A default and a variable are told too; a part of both is told with both."""
    said = hint(deployment(timeout), "/buildTimeoutInMinutes")

    assert said.endswith(f"The value comes from {origin}.")


def test_what_lies_inside_a_value_has_its_origin() -> None:
    """A whole list may be a parameter; what is wrong inside it comes from there."""
    document = body(distribute="<targets>")

    said = hint(document, "/distribute/0/type", targets=[{"type": "Disk", "runOutputName": "x"}])

    assert said.endswith("The value comes from parameter 'targets'.")
