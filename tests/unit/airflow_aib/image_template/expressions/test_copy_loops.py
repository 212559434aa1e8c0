from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body


def filled(properties: dict[str, Any], *, variables: Any = None, **parameters: object) -> dict[str, Any]:
    """Render a deployment file and give the properties."""
    image_template = {**body(), "type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "t"}
    document = {
        "parameters": {"count": {"type": "int", "defaultValue": 2}, "regions": {"defaultValue": ["a", "b"]}},
        "variables": variables or {},
        "resources": [image_template | {"properties": image_template["properties"] | properties}],
    }
    rendered: dict[str, Any] = render(read_document(document), parameters, CONTEXT).body["properties"]
    return rendered


def loop(name: str, count: Any, filled_in: Any) -> dict[str, Any]:
    """Write a copy loop."""
    return {"name": name, "count": count, "input": filled_in}


def test_a_loop_becomes_a_list_of_its_name() -> None:
    """The input is filled in once for each index, an offset added."""
    step = {"type": "Shell", "name": "[concat('step', copyIndex('customizers', 1))]", "inline": ["echo <x>"]}
    properties = filled({"copy": [loop("customizers", "[parameters('count')]", step)]}, x="hi")

    assert "copy" not in properties
    assert [step["name"] for step in properties["customizers"]] == ["step1", "step2"]
    assert properties["customizers"][0]["inline"] == ["echo hi"]


def test_a_loop_over_an_array() -> None:
    """The index looks into an array, whose length is the count."""
    copied = loop(
        "targetRegions", "[length(parameters('regions'))]", "[parameters('regions')[copyIndex('TARGETREGIONS')]]"
    )

    assert filled({"x": {"copy": [copied]}})["x"] == {"targetRegions": ["a", "b"]}


def test_loops_inside_loops() -> None:
    """An inner loop knows the index of the outer one."""
    inner = loop("inner", 2, "[format('{0}{1}', copyIndex('outer'), copyIndex('inner'))]")

    assert filled({"copy": [loop("outer", 2, {"copy": [inner]})]})["outer"] == [
        {"inner": ["00", "01"]},
        {"inner": ["10", "11"]},
    ]


def test_loops_of_variables() -> None:
    """Variables have loops at their top, and in objects; both are what properties may ask for."""
    variables = {
        "copy": [loop("names", 2, "[concat('n', copyIndex('names'))]")],
        "object": {"kept": 1, "copy": [loop("list", "[parameters('count')]", "[copyIndex('list', 5)]")]},
    }
    properties = filled({"x": "[variables('NAMES')]", "y": "[variables('object')]"}, variables=variables)

    assert properties["x"] == ["n0", "n1"]
    assert properties["y"] == {"kept": 1, "list": [5, 6]}


def test_a_variable_does_not_see_the_loop_that_asks_for_it() -> None:
    """A variable is the same for every index, so that it cannot stand for one."""
    with pytest.raises(ImageTemplateRenderError, match=r"copyIndex.* stands in no copy loop 'c'"):
        filled({"copy": [loop("c", 1, "[variables('v')]")]}, variables={"v": "[copyIndex('c')]"})


@pytest.mark.parametrize("loops", [[], [loop("x", 0, "a")]])
def test_nothing_to_copy(loops: list[Any]) -> None:
    """No loop leaves nothing, and a count of zero gives an empty list."""
    properties = filled({"copy": loops})

    assert "copy" not in properties
    assert properties.get("x", []) == []


def test_a_tag_may_be_called_so() -> None:
    """A member `copy` that is no list is a member like others."""
    assert filled({"x": {"copy": "yes"}})["x"] == {"copy": "yes"}


@pytest.mark.parametrize(
    ("copied", "words"),
    [
        (loop("x", 801, "a"), "'x' may count from 0 to 800"),
        (loop("x", -1, "a"), "'x' may count from 0 to 800"),
        (loop("x", "2", "a"), "needs an integer as count, not string"),
        (loop("x", True, "a"), "needs an integer as count, not bool"),  # noqa: FBT003 - the wrong kind
        (loop("customize", 1, "a"), "'customize' stands beside the copy loop"),
        ({"name": "x", "count": 1}, "has a name, a count and an input"),
        ("x", "has a name, a count and an input"),
        (loop("x", 1, "[copyIndex()]"), "at /properties/x/0: .*needs the name"),
    ],
)
def test_wrong_loops(copied: Any, words: str) -> None:
    """What is no copy loop is refused with its place."""
    with pytest.raises(ImageTemplateRenderError, match=words):
        filled({"copy": [copied]})


def test_wrong_loops_of_variables() -> None:
    """The variables' own copy loops are refused with their place too."""
    with pytest.raises(ImageTemplateRenderError, match="at /variables/copy: a copy loop has a name"):
        filled({}, variables={"copy": [1]})


def test_names_that_loops_ask_for() -> None:
    """What a loop asks for, in properties and in variables, is among the missing names."""
    loops = [loop("x", "[parameters('n')]", {"a": "<p>", "b": "[variables('v')]"}), loop("inline", 1, ["<free>"])]
    with pytest.raises(ImageTemplateRenderError) as caught:
        filled({"copy": loops}, variables={"copy": [loop("v", "[parameters('m')]", "[parameters('i')]")]})

    assert caught.value.missing == ("n", "p", "m", "i")
