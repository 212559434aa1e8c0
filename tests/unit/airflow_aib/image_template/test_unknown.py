from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import IMAGE_TEMPLATE_TYPE, read_document
from airflow_aib.image_template.parameters_file import KeyVaultReference
from airflow_aib.image_template.render import RenderContext, RenderedImageTemplate, render
from airflow_aib.image_template.resource_id import is_resource_id
from airflow_aib.image_template.unknown import holds_unknown, is_unknown, shown, unknown
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP, PARAMETERS, SAMPLES, body


def filled(properties: dict[str, Any], **parameters: object) -> RenderedImageTemplate:
    """Render without values."""
    image_template = {**body(**properties), "type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "t"}
    declared = {name: {"type": kind} for name, kind in (("n", "int"), ("list", "array"), ("flag", "bool"))}
    document = read_document({"parameters": declared, "variables": {}, "resources": [image_template]})
    return render(document, parameters, CONTEXT, allow_unknown=True)


def strict(properties: dict[str, Any]) -> RenderedImageTemplate:
    """Render as an operator does."""
    image_template = {**body(**properties), "type": IMAGE_TEMPLATE_TYPE, "name": "t"}
    return render(read_document({"resources": [image_template]}), {}, CONTEXT)


def value(expression: str) -> Any:
    """Evaluate an expression without values, as a property."""
    return filled({"x": f"[{expression}]"}).body["properties"]["x"]


@pytest.mark.parametrize("name", ["a", "with space", "a/b", "<a>", ""])
def test_an_unknown_is_known_by_its_text(name: str) -> None:
    """An unknown is found alone, inside texts, in lists and in keys, and is no other text."""
    text = unknown(name)

    assert is_unknown(text)
    assert not is_unknown(f"{text}-x")
    assert all(map(holds_unknown, [text, f"a{text}b", ["a", text], {"k": [text]}, {text: 1}]))
    assert not any(map(holds_unknown, ["a", "<a>", None, 1, ["b"], {}]))


@given(st.text())
def test_a_resource_id_with_an_unknown_name_keeps_its_form(name: str) -> None:
    """Whatever a parameter is called, it may stand for a name in a resource id."""
    text = f"{GROUP}/providers/Microsoft.Compute/galleries/{unknown(name)}"

    assert is_resource_id(text, "Microsoft.Compute/galleries")


def test_messages_show_the_name() -> None:
    """People see an unknown as a placeholder."""
    assert shown(f"a-{unknown('x')}-{unknown('y')}") == "a-<x>-<y>"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("parameters('X')", "<X>"),
        ("concat('a-', parameters('x'), '-b')", "a-<x>-b"),
        ("format('{0}/{1}', parameters('x'), 1)", "<x>/1"),
        ("toUpper(parameters('x'))", "<X>"),
        ("join(createArray('a', parameters('x')), '+')", "a+<x>"),
        (
            "resourceId('Microsoft.Compute/galleries', parameters('x'))",
            f"{GROUP}/providers/Microsoft.Compute/galleries/<x>",
        ),
        ("concat(parameters('list'), createArray('a'))", "<list>"),
        ("join(parameters('list'), ',')", "<list>"),
        ("length(parameters('list'))", "<list>"),
        ("substring(parameters('x'), 1, 2)", "<x>"),
        ("if(parameters('flag'), 'a', 'b')", "<flag>"),
        ("if(equals(parameters('x'), 'a'), 'b', 'c')", "<x>"),
        ("if(true(), 'a', parameters('x'))", "a"),
        ("parameters('x').a[0].b", "<x>"),
        ("createArray('a')[parameters('n')]", "<n>"),
        ("variables(parameters('x'))", "<x>"),
        ("reference('x').y.z", "<reference()>"),
        ("listKeys('a', 'b').keys[0].value", "<listKeys()>"),
        ("subscription().tenantId", "<subscription().tenantId>"),
        ("resourceGroup().tags.owner", "<resourceGroup().tags>"),
        ("newGuid()", "<newGuid()>"),
    ],
)
def test_what_depends_on_an_unknown(expression: str, expected: str) -> None:
    """What writes an unknown into a text keeps it there; whatever else depends on one is one."""
    assert shown(value(expression)) == expected


def test_an_unknown_inside_an_object_leaves_the_rest_known() -> None:
    """Members beside an unknown are what they are."""
    assert value("createObject('a', parameters('x'), 'b', 1).b") == 1
    assert value("createArray('a', parameters('x'))") == ["a", unknown("x")]


def test_what_is_wrong_without_unknowns_stays_an_error() -> None:
    """Unknown values excuse no wrong expression."""
    with pytest.raises(ImageTemplateRenderError, match="a string is needed, not int"):
        value("toLower(1)")


def test_unknown_placeholders_and_counts() -> None:
    """Placeholders are unknown outside scripts, and a loop with an unknown count is an unknown."""
    loops = [{"name": "x", "count": "[parameters('n')]", "input": "a"}]
    result = filled({"vmProfile": {"vmSize": "<vm size>"}, "copy": loops})
    properties = result.body["properties"]

    assert properties["vmProfile"]["vmSize"] == unknown("vm size")
    assert properties["x"] == unknown("n")
    assert result.missing == ("vm size", "n")
    (finding,) = result.findings
    assert finding.path == "/properties/vmProfile/vmSize"
    assert finding.message == "No value is known for <vm size>, parameter 'n'"


def test_placeholders_in_scripts_stay() -> None:
    """A script's angle brackets are its own, known or not."""
    result = filled({"customize": [{"type": "Shell", "inline": ["cat <input"]}]})

    assert result.body["properties"]["customize"][0]["inline"] == ["cat <input"]
    assert result.findings == ()


def test_each_unknown_is_one_warning() -> None:
    """What nobody passed is one warning, where the first is asked for; what Azure knows is one for each name."""
    result = filled({"a": "[parameters('x')]", "b": "<X>", "c": "[reference('y')]", "d": "[concat(reference('z'))]"})

    assert [(finding.severity, finding.rule, finding.path) for finding in result.findings] == [
        ("warning", "parameter-missing", "/properties/a"),
        ("warning", "needs-azure", "/properties/c"),
    ]
    assert result.findings[0].message == "No value is known for parameter 'x'"
    assert "what reference() gives" in result.findings[1].message


def test_an_unknown_moment() -> None:
    """Without a moment, `utcNow()` in a default is an unknown; elsewhere it stays the error that it is in ARM."""
    document = {
        "parameters": {"t": {"type": "string", "defaultValue": "[utcNow('u')]"}},
        "resources": [{**body(x="[parameters('t')]"), "type": "Microsoft.VirtualMachineImages/imageTemplates"}],
    }
    result = render(read_document(document), {}, CONTEXT, allow_unknown=True)

    assert result.body["properties"]["x"] == unknown("utcNow()")
    with pytest.raises(ImageTemplateRenderError, match="defaultValue of a parameter only"):
        value("utcNow()")


def test_an_unknown_condition_and_dependency() -> None:
    """An unknown condition does not refuse, and a dependency with an unknown name stays one."""
    image_template = {
        **body(),
        "condition": "[parameters('c')]",
        "dependsOn": ["[resourceId('Microsoft.Compute/galleries', parameters('g'))]", "[parameters('d')]"],
    }
    result = render(read_document(image_template), {}, CONTEXT, allow_unknown=True)

    assert [shown(dependency) for dependency in result.depends_on] == [
        f"{GROUP}/providers/Microsoft.Compute/galleries/<g>",
        "<d>",
    ]


def test_a_key_vault_reference() -> None:
    """A secret in a Key Vault is unknown where that is allowed, and an error that says so where not."""
    document = read_document(body(x="[parameters('token')]"))
    reference = KeyVaultReference("hidden")
    result = render(document, {"token": reference}, CONTEXT, allow_unknown=True)

    assert result.body["properties"]["x"] == unknown("token")
    assert [finding.rule for finding in result.findings] == ["needs-azure"]
    with pytest.raises(ImageTemplateRenderError, match=r"'token' refers to secret 'hidden' .*another way"):
        render(document, {"token": reference}, CONTEXT)


def test_an_unknown_handed_in() -> None:
    """A caller may hand unknowns in as values, whatever type is declared, and as the context."""
    context = RenderContext(unknown("subscription"), unknown("group"))
    result = render(read_document(body(x="[resourceGroup().location]")), {}, context, allow_unknown=True)

    assert shown(result.body["properties"]["x"]) == "<resourceGroup().location>"
    assert filled({"x": "[parameters('n')]"}, n=unknown("later")).body["properties"]["x"] == unknown("later")


@pytest.mark.parametrize("name", PARAMETERS)
def test_samples_without_values(name: str) -> None:
    """Each sample can be rendered and checked without any value, and says what is missing."""
    result = render(read_document(SAMPLES / name), {}, CONTEXT, allow_unknown=True)

    check(result)
    assert bool(PARAMETERS[name]) == ("parameter-missing" in {finding.rule for finding in result.findings})


KNOWN: dict[str, Any] = {
    "location": "eastus",
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {"[parameters('identity')]": {}}},
    "properties": {
        "source": {"type": "SharedImageVersion", "imageVersionId": "[parameters('source')]"},
        "customize": [
            {"type": "Shell", "name": "[parameters('step')]", "inline": "[parameters('lines')]"},
            {"type": "Shell", "name": "[parameters('step')]", "inline": ["true"]},
        ],
        "distribute": "[parameters('distribute')]",
        "buildTimeoutInMinutes": "[parameters('minutes')]",
        "vmProfile": "[parameters('profile')]",
    },
}


def test_unknown_values_are_not_judged() -> None:
    """Checks say that a value is not known, and nothing else about it, whatever stands in its place."""
    document = read_document({"resources": [{"type": IMAGE_TEMPLATE_TYPE, "name": "[parameters('n')]", **KNOWN}]})
    found = check(render(document, {}, CONTEXT, allow_unknown=True))

    assert {finding.rule for finding in found} == {"parameter-missing"}
    assert len(found) == 1
    assert found[0].message.count("parameter '") == 8


def test_what_is_known_is_judged_beside_unknown_values() -> None:
    """An unknown value hides nothing but itself."""
    properties = KNOWN["properties"] | {"buildTimeoutInMinutes": 3, "extra": 1}
    document = read_document(KNOWN | {"properties": properties})
    found = check(render(document, {}, CONTEXT, allow_unknown=True))

    assert {finding.rule for finding in found if finding.severity == "error"} == {"timeout-too-short", "member-unknown"}


@pytest.mark.parametrize(
    "text",
    [
        "[map(createArray(1), lambda('x', lambdaVariables('x')))]",
        "[mine.size('a', 1)]",
        "[copyIndex()]",
        "[copyIndex('machines')]",
        "[format('{0}-x', mine.size())]",
    ],
)
def test_what_only_azure_evaluates_is_unknown(text: str) -> None:
    """Lambdas, functions of the document's own and loops around the image template are no errors in a check."""
    result = filled({"vmProfile": {"vmSize": text}})

    assert holds_unknown(result.body["properties"]["vmProfile"]["vmSize"])
    with pytest.raises(ImageTemplateRenderError):
        strict({"vmProfile": {"vmSize": text}})


@pytest.mark.parametrize("more", [{"copy": {"name": "machines", "count": 2}}, {"condition": False}])
def test_what_azure_would_not_deploy_once_is_looked_at(more: dict[str, Any]) -> None:
    """A loop around the image template, or a condition that does not hold, is no error in a check."""
    document = read_document({"resources": [{"type": IMAGE_TEMPLATE_TYPE, "name": "a", **body(), **more}]})

    assert [
        finding.rule
        for finding in check(render(document, {}, CONTEXT, allow_unknown=True))
        if finding.rule != "auto-run"
    ] == (["resource-copy"] if "copy" in more else [])
    with pytest.raises(ImageTemplateRenderError):
        render(document, {}, CONTEXT)
