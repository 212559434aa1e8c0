from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderContext, RenderedImageTemplate, render
from airflow_aib.image_template.values.parameters import secure_texts
from tests.unit.airflow_aib.image_template.sample_documents import (
    CONTEXT,
    GROUP,
    IDENTITY,
    PARAMETERS,
    SAMPLES,
    body,
    rendered,
    rendered_sample,
)

GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/corp"


def deployment(image_template: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Build a deployment file that holds one image template."""
    resource = {"type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "t", **image_template}
    return {"$schema": "s", **sections, "resources": [resource]}


def filled(document: dict[str, Any], **parameters: object) -> RenderedImageTemplate:
    """Render a document."""
    return render(read_document(document), parameters, CONTEXT)


def first_line(result: RenderedImageTemplate) -> Any:
    """Return the first line of the first customizer."""
    return result.body["properties"]["customize"][0]["inline"][0]


def with_line(line: str) -> dict[str, Any]:
    """Build an image template whose script is one line."""
    return body(customize=[{"type": "Shell", "inline": [line]}])


@pytest.mark.parametrize("name", PARAMETERS)
def test_samples_become_good_image_templates(name: str) -> None:
    """Each sample, with its parameters, is rendered without an error for Azure to find."""
    result = rendered_sample(name)

    assert [finding for finding in check(result) if finding.severity == "error"] == []
    assert "<subscriptionId>" not in json.dumps(result.body)


def test_only_the_body_is_submitted() -> None:
    """What names and orders the resource is no part of the body."""
    result = rendered_sample("gallery-deployment.json")

    assert set(result.body) == {"location", "tags", "identity", "properties"}
    assert (result.name, result.api_version) == ("linux-base-small", "2024-02-01")


def test_expressions_of_a_deployment_file() -> None:
    """Parameters, variables, nesting and access are filled in, with the types that they give."""
    properties = rendered_sample("gallery-deployment.json", size="large", minutes="30").body["properties"]

    assert properties["buildTimeoutInMinutes"] == 30
    assert properties["vmProfile"] == {"vmSize": "Standard_D8s_v3"}
    assert properties["distribute"][0]["galleryImageId"] == f"{GALLERY}/images/linux-base"
    assert properties["distribute"][0]["replicationRegions"] == ["westus", "eastus2"]


def test_expressions_in_keys() -> None:
    """The identity's resource id, which is a key, is filled in too."""
    (identity_id,) = rendered_sample("gallery-deployment.json").body["identity"]["userAssignedIdentities"]

    assert identity_id == IDENTITY.replace("/resourceGroups/images/", "/resourceGroups/identities/")


def test_depends_on_becomes_resource_ids() -> None:
    """What must be there first is given as resource ids, from expressions and from names."""
    assert rendered_sample("gallery-deployment.json").depends_on == (GALLERY, f"{GALLERY}/images/linux-base")


def test_depends_on_symbolic_names() -> None:
    """A symbolic name stands for the resource of that key."""
    document = read_document(SAMPLES / "symbolic-deployment.json", name="linux")

    assert render(document, {}, CONTEXT).depends_on == (IDENTITY,)


def test_region_of_the_context() -> None:
    """A document without region gets the context's; a written one stays."""
    assert rendered_sample("current.yaml").body["location"] == "eastus"
    assert rendered_sample("windows-2020.json").body["location"] == "westeurope"


def test_context_without_region() -> None:
    """Where nobody knows the region, the body has none, and the check reports it."""
    document = body()
    del document["location"]
    result = render(read_document(document), {}, RenderContext("s", "rg"))

    assert "location" not in result.body
    assert [finding.rule for finding in check(result) if finding.severity == "error"] == ["location-required"]


def test_placeholders_wherever_they_stand() -> None:
    """Placeholders are filled in values, in keys, and in resource ids also in braces."""
    result = rendered_sample("linux-2019.json")
    source = result.body["properties"]["source"]

    assert list(result.body["identity"]["userAssignedIdentities"]) == [IDENTITY]
    assert source["imageVersionId"] == f"{GALLERY}/images/linux-base/versions/1.0.0"


def test_placeholder_that_is_the_whole_text_keeps_its_type() -> None:
    """A text that is nothing but a placeholder becomes the value, be it a number or a list."""
    document = body(buildTimeoutInMinutes="<minutes>", distribute="<distribute>")
    distribute = [{"type": "VHD", "runOutputName": "vhd"}]
    properties = filled(document, minutes=60, distribute=distribute).body["properties"]

    assert (properties["buildTimeoutInMinutes"], properties["distribute"]) == (60, distribute)


def test_a_filled_in_value_is_not_filled_in_again() -> None:
    """What a parameter brings along stays as it is, brackets and placeholders included."""
    document = body(source={"type": "PlatformImage", "publisher": "<p>", "offer": "[parameters('o')]", "sku": "s"})
    source = filled(document, p="[concat('x')]", o="<p>").body["properties"]["source"]

    assert (source["publisher"], source["offer"]) == ("[concat('x')]", "<p>")


def test_all_missing_names_at_once() -> None:
    """Every name without a value is reported in one error, wherever it hides."""
    document = deployment(
        {**body(vmProfile={"vmSize": "<size>"}), "location": "[variables('v')]", "name": "[parameters('n')]"},
        parameters={"n": {"type": "string"}, "d": {"defaultValue": "[parameters('deep')]"}, "deep": {}},
        variables={"v": "[concat(parameters('d'), parameters('x'))]"},
    )
    with pytest.raises(ImageTemplateRenderError) as caught:
        filled(document)

    assert caught.value.missing == ("deep", "x", "size", "n")
    assert "<size>" in str(caught.value)


def test_names_that_nobody_needs_may_be_missing() -> None:
    """A declared parameter that the image template does not use needs no value."""
    assert rendered_sample("gallery-deployment.json").name == "linux-base-small"


def test_subscription_and_group_need_not_be_passed() -> None:
    """Subscription, resource group and region come from the context, unless passed."""
    document = with_line("<subscriptionId> <resourceGroupName> <location> <rgName> <region>")

    assert first_line(filled(document)) == f"{CONTEXT.subscription_id} images eastus images eastus"
    assert str(first_line(filled(document, LOCATION="westus"))).endswith("images westus images eastus")


@pytest.mark.parametrize(
    "line",
    [
        "[[ -f /etc/os-release ]]",
        "[ -f /etc/os-release ]",
        "[Environment]",
        "[x for x in y]",
        "[Reflection.Assembly('x')]",
        "echo '<html>' > page",
        "cat <input >output",
        "[unknown('x')]",
    ],
)
def test_scripts_of_a_bare_resource_stay(line: str) -> None:
    """What a script says in brackets of its own is no expression: a bare resource never passes ARM's engine."""
    assert first_line(filled(with_line(line))) == line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[concat('a', 'b')]", "ab"),
        ("[[concat('a', 'b')]", "[concat('a', 'b')]"),
        ("[parameters('x')]", "value"),
        ("echo <x>", "echo value"),
    ],
)
def test_expressions_of_a_bare_resource(line: str, expected: str) -> None:
    """Expressions, their escape and known placeholders also work in a bare resource's scripts."""
    assert first_line(filled(with_line(line), x="value")) == expected


def test_brackets_in_a_deployment_file_are_expressions() -> None:
    """In a deployment file ARM would refuse a shell's test too, and two brackets stand for one."""
    with pytest.raises(ImageTemplateRenderError, match=r"customize/0/inline/0.*cannot be read"):
        filled(deployment(with_line("[ -f x ]")))
    assert first_line(filled(deployment(with_line("[[ -f x ]")))) == "[ -f x ]"


def test_misspelt_function_in_a_bare_resource() -> None:
    """Outside scripts a call of an unknown function is an error and not a text."""
    with pytest.raises(
        ImageTemplateRenderError, match=r"/location.*no function paramters\(\) here\. What is evaluated"
    ):
        filled(body() | {"location": "[paramters('x')]"})


def test_unfilled_placeholder_of_a_script_is_noticed() -> None:
    """A script line that is nothing but a placeholder without value is remarked on."""
    result = filled(with_line("<commands to run>"))

    assert first_line(result) == "<commands to run>"
    assert [(finding.rule, finding.path) for finding in result.findings] == [
        ("placeholder-left", "/properties/customize/0/inline/0")
    ]


def test_unused_parameters_are_noticed() -> None:
    """A parameter that nothing asks for is remarked on; a declared one is not."""
    result = rendered_sample("gallery-deployment.json", imageNmae="x", notUsed="y")

    assert [finding.message for finding in result.findings] == [
        "Nothing in the document asks for the parameter 'imageNmae'"
    ]


def test_an_expression_that_cannot_be_read_is_to_be_corrected() -> None:
    """What is evaluated locally is named for functions only; a slip has to be corrected where it is."""
    with pytest.raises(ImageTemplateRenderError, match=r"'\)' is missing\. Correct it there, or pass another value\."):
        filled(deployment(body(x="[concat(variables('name')]")))


def test_members_that_are_not_sent_are_noticed() -> None:
    """A member that is no part of an image template is left out, and that is said."""
    result = filled(body() | {"zones": ["1"], "comments": "x", "id": "/subscriptions/s"})

    assert [(finding.rule, finding.path) for finding in result.findings] == [("member-left-out", "/zones")]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"minutes": "soon"}, "'minutes' must be of type int"),
        ({"minutes": 5}, "'minutes' breaks its minValue of 6: it is 5"),
        ({"minutes": 961}, "'minutes' breaks its maxValue of 960: it is 961"),
        ({"minutes": [1]}, "'minutes' must be of type int, not array"),
        ({"size": "huge"}, "'size' must be one of 'small', 'large', not 'huge'"),
        ({"size": "h" * 60}, r"'size' must be one of 'small', 'large'\. Pass another value"),
        ({"imageName": "x"}, "'imageName' breaks its minLength of 3: its length is 1"),
        ({"imageName": 12}, "'imageName' must be of type string, not int"),
        ({"regions": "westus"}, "'regions' must be of type array"),
    ],
)
def test_wrong_parameters(parameters: dict[str, object], words: str) -> None:
    """A value outside its declaration is refused before anything is filled in."""
    with pytest.raises(ImageTemplateRenderError, match=words):
        rendered_sample("gallery-deployment.json", **parameters)


def test_text_becomes_the_declared_type() -> None:
    """Airflow's templates hand everything over as text; the declaration tells what it is."""
    properties = rendered_sample("gallery-deployment.json", minutes="30", regions='["westus"]').body["properties"]

    assert properties["buildTimeoutInMinutes"] == 30
    assert properties["distribute"][0]["replicationRegions"] == ["westus"]


def test_secrets_are_not_shown() -> None:
    """A secure parameter is filled in, and is in no representation of the result."""
    result = rendered_sample("gallery-deployment.json")

    assert first_line(result) == "login --token hunter22"
    assert result.secrets == {"hunter22"}
    assert "hunter22" not in repr(result)


def test_texts_inside_a_secure_object_are_secrets() -> None:
    """Every text inside a secure object is masked, however deep; short ones, which stand everywhere, are not."""
    declared = {"o": {"type": "secureObject"}, "d": {"type": "securestring", "defaultValue": "default-secret"}}
    result = filled(deployment(body(), parameters=declared), o={"a": ["hunter22", {"b": 1234567}], "c": "x", "d": None})

    assert result.secrets == {"hunter22", "1234567", "default-secret"}


def test_secrets_of_a_document_that_cannot_be_filled_in_are_known() -> None:
    """Secrets are found before anything is filled in, whatever the letter case, and whatever else is missing."""
    declared = {"Token": {"type": "secureString"}, "plain": {"type": "string"}, "odd": "no declaration"}
    document = read_document(deployment(body(), parameters=declared))

    assert secure_texts(document, {"TOKEN": "hunter22", "plain": "open"}) == {"hunter22"}


def test_wrong_secrets_are_not_shown() -> None:
    """A secure parameter of the wrong kind is refused without being quoted."""
    document = deployment(
        body(), parameters={"s": {"type": "secureObject"}, "t": {"type": "securestring", "maxLength": 3}}
    )
    with pytest.raises(ImageTemplateRenderError) as caught:
        filled(document, s="hunter22", t="hunter23")

    assert "hunter2" not in str(caught.value)
    assert "'s'" in str(caught.value)
    assert "'t'" in str(caught.value)


def test_values_that_a_secret_may_have_are_not_shown() -> None:
    """The allowed values of a secure parameter are secrets as well."""
    parameters = {"s": {"type": "secureString", "allowedValues": ["hunter22", "hunter23"]}}
    with pytest.raises(ImageTemplateRenderError, match="one of its allowedValues"):
        filled(deployment(body(), parameters=parameters), s="hunter24")


def test_condition() -> None:
    """A condition that is not true means that ARM would not deploy it."""
    document = deployment({**body(), "condition": "[equals(parameters('x'), 'a')]"}, parameters={"x": {}})

    assert filled(document, x="a").body["properties"]
    with pytest.raises(ImageTemplateRenderError, match="condition is not true"):
        filled(document, x="b")


def test_a_copy_loop_around_the_image_template_is_refused() -> None:
    """What makes several image templates is said to do so."""
    with pytest.raises(ImageTemplateRenderError, match="makes several of them"):
        filled(deployment({**body(), "copy": {"name": "c", "count": 2}}))


def test_a_placeholder_for_a_default_that_cannot_be_evaluated() -> None:
    """What is wrong with a default is an error of the document, also where a placeholder asks for it."""
    document = deployment(body(vmProfile={"vmSize": "<size>"}), parameters={"size": {"defaultValue": "[toLower(1)]"}})

    with pytest.raises(ImageTemplateRenderError, match="at /properties/vmProfile/vmSize: <size>: a string is needed"):
        filled(document)


def test_errors_say_where() -> None:
    """An expression that cannot be evaluated is reported with file, path and its own text."""
    with pytest.raises(ImageTemplateRenderError, match=r"<dict>, at /location: \[reference\('x'\)\].*needs Azure"):
        filled(body() | {"location": "[reference('x')]"})


def test_the_document_can_be_rendered_again() -> None:
    """Rendering changes neither the document nor an earlier result."""
    document = read_document(SAMPLES / "linux-2019.json")
    before = copy.deepcopy(document.body)
    parameters = PARAMETERS["linux-2019.json"]
    first, second = render(document, parameters, CONTEXT), render(document, parameters, CONTEXT)
    second.body["properties"]["customize"].clear()

    assert document.body == before
    assert first.body["properties"]["customize"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_rendering_the_result_changes_nothing(name: str) -> None:
    """What was rendered is a bare resource that renders to itself, without any change."""
    first = rendered_sample(name)
    again = render(read_document(first.body), {}, CONTEXT)

    assert again.body == first.body
    assert again.changes == ()


leaves = st.none() | st.booleans() | st.integers() | st.text(alphabet="ab<>[]'() .", max_size=12)
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


@given(st.dictionaries(st.sampled_from(["source", "customize", "distribute", "vmProfile", "x"]), trees))
def test_no_document_breaks_rendering(properties: dict[str, Any]) -> None:
    """Any properties are rendered and checked, or refused with our own error."""
    try:
        check(rendered({"location": "eastus", "properties": properties}))
    except ImageTemplateRenderError as error:
        assert str(error)  # noqa: PT017 - either outcome is fine, a foreign error is not


def test_siblings_are_filled_in() -> None:
    """The other resources of a file have names and regions; what cannot be evaluated stays as written."""
    resources = [
        {"type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "t", **body()},
        {"type": "Microsoft.Compute/galleries", "name": "[concat('a', 'b')]", "location": "[resourceGroup().location]"},
        {"type": "Microsoft.Compute/galleries", "name": "[reference('x').name]"},
    ]
    rendered = render(read_document({"resources": resources}), {}, CONTEXT)

    assert [(one.name, one.location) for one in rendered.siblings] == [
        ("t", "eastus"),
        ("ab", "eastus"),
        ("[reference('x').name]", ""),
    ]
    assert rendered.resource_group_id == CONTEXT.resource_group_id
