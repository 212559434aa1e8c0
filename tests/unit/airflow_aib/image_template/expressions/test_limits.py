from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.exceptions import ImageTemplateError, ImageTemplateRenderError
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.expressions.limits import DEEPEST, LARGEST_VALUE, ExpressionError, is_too_deep, size_of
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body

TOO_LARGE = "larger than 1,000,000 characters"
TOO_DEEP = "more than 100 levels deep"
TOO_MUCH = "make too much"


def doubling(pattern: str, times: int = 60) -> dict[str, Any]:
    """Write variables of which each holds the one before it twice, or as often as the pattern says."""
    return {"v0": "xxxxxxxxxx"} | {
        f"v{index}": pattern.replace("%", f"variables('v{index - 1}')") for index in range(1, times + 1)
    }


def nested(depth: int, inside: Any = "x") -> Any:
    """Write lists in lists."""
    for _ in range(depth):
        inside = [inside]
    return inside


def rendered(expression: Any, variables: dict[str, Any] | None = None, **properties: Any) -> Any:
    """Render an expression as a property."""
    image_template = {**body(x=expression, **properties), "type": "Microsoft.VirtualMachineImages/imageTemplates"}
    document = read_document({"variables": variables or {}, "resources": [image_template]})
    return render(document, {}, CONTEXT).body["properties"]["x"]


@pytest.mark.parametrize(
    ("expression", "variables", "words"),
    [
        ("[variables('v60')]", doubling("[concat(%, %)]"), TOO_DEEP),
        ("[variables('v19')]", doubling("[concat(%, %)]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[createArray(%, %)]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[createObject('a', %, 'b', %)]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[replace(%, 'x', 'xxxxxxxxxx')]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[format('{0}{0}{0}{0}', %)]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[join(createArray(%, %, %), %)]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[base64(base64(%))]"), TOO_LARGE),
        ("[variables('v20')]", doubling("[union(createArray(%), createArray(createArray(%, %)))]"), TOO_LARGE),
        (["[length(variables('v16'))]"] * 900, doubling("[concat(%, %)]"), TOO_MUCH),
        ("[variables('v900')]", doubling("[%]", 900), TOO_DEEP),
        (f"[format('{'{0,99999}' * 2000}', 'x')]", {}, TOO_LARGE),
        ("[range(0, 1000000000)]", {}, "0 to 10,000 numbers"),
        ("[padLeft('', 1000000000)]", {}, TOO_LARGE),
        ("[join(range(0, 10000), string(range(0, 10000)))]", {}, TOO_LARGE),
        ("[split(padLeft('', 900000), createArray(' ', 'x'))]", {}, "too long a text"),
        ("[" + "concat(" * 2000 + "'x'" + ")" * 2000 + "]", {}, TOO_DEEP),
        ("[" + "concat(" * 10_000 + "]", {}, "more than 24,576 characters"),
        ("[variables('v0')" + "[" * 10_000 + "]", doubling("", 0), "cannot be read"),
        ("[variables('v0')" + "[0" * 5000 + "]" * 5000 + "]", doubling("", 0), TOO_DEEP),
        ("[variables('v0')" + ".a" * 10_000 + "]", doubling("", 0), "no member 'a' in string"),
        (f"[json('{'[' * 20_000}')]", {}, "cannot take"),
        (f"[json('{'[' * 200}{']' * 200}')]", {}, TOO_DEEP),
    ],
)
def test_bombs(expression: Any, variables: dict[str, Any], words: str) -> None:
    """What would not end, or fill the memory, ends with an error that says which bound it breaks."""
    with pytest.raises(ImageTemplateRenderError, match=words):
        rendered(expression, variables)


def test_loops_that_multiply() -> None:
    """Copy loops inside copy loops are bounded together."""
    loops: Any = "x"
    for name in "abc":
        loops = {"copy": [{"name": name, "count": 800, "input": loops}]}

    with pytest.raises(ImageTemplateRenderError, match=TOO_LARGE):
        rendered("x", **loops)


def test_the_deepest_document_can_be_rendered() -> None:
    """What the bounds allow does not exhaust Python's stack: a deep document, with the deepest chain of variables."""
    variables = doubling("[concat(%)]", 32)

    assert rendered(nested(50, "[variables('v32')]"), variables) == nested(50, "xxxxxxxxxx")


@pytest.mark.parametrize("place", ["property", "variable", "parameter"])
def test_documents_that_are_too_deep(place: str) -> None:
    """A document or a value that is nested too deeply is refused before anything walks it."""
    deep = nested(500)
    image_template = body(x=deep if place == "property" else "x")
    resource = {**image_template, "type": "Microsoft.VirtualMachineImages/imageTemplates"}
    file = {"variables": {"v": deep if place == "variable" else "x"}, "resources": [resource]}

    with pytest.raises(ImageTemplateError, match="nested too deeply"):
        render(read_document(file), {"p": deep} if place == "parameter" else {}, CONTEXT)


def test_missing_names_behind_a_long_chain() -> None:
    """Looking for missing names ends too, however long the chain of variables."""
    with pytest.raises(ImageTemplateRenderError, match=r"levels deep|has no value for q"):
        rendered("[variables('v900')]", doubling("[%]", 900) | {"v0": "[parameters('q')]"})


def test_sizes() -> None:
    """A size is about the length of the JSON text, and is refused where it is too large or too deep."""
    assert size_of("x" * 100) < size_of(["x" * 100, {"key": 1}]) < 200
    with pytest.raises(ExpressionError, match=TOO_LARGE):
        size_of("x" * LARGEST_VALUE)
    with pytest.raises(ExpressionError, match=TOO_DEEP):
        size_of(nested(DEEPEST + 1))
    assert is_too_deep(nested(DEEPEST))
    assert not is_too_deep([{"a": [1]}] * 1000)
