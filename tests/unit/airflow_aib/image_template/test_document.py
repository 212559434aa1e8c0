from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.document import (
    IMAGE_TEMPLATE_TYPE,
    is_image_template_file,
    read_document,
    read_documents,
)
from tests.unit.airflow_aib.image_template.sample_documents import SAMPLES, body

if TYPE_CHECKING:
    from pathlib import Path

BARE: dict[str, Any] = {"location": "eastus", "properties": {"source": {}}}


def deployment(*resources: dict[str, Any]) -> dict[str, Any]:
    """Build a deployment file."""
    return {"$schema": "s", "parameters": {"p": {"type": "string"}}, "variables": {"v": 1}, "resources": [*resources]}


def image_template(name: str) -> dict[str, Any]:
    """Build an image template as it stands in a deployment file."""
    return {"type": IMAGE_TEMPLATE_TYPE, "name": name, **BARE}


def test_bare_resource_as_dict() -> None:
    """A dict that is an image template is taken as it is."""
    document = read_document(BARE)

    assert (document.body, document.source, document.name) == (BARE, "<dict>", None)
    assert not document.is_deployment


def test_the_callers_dict_is_not_shared() -> None:
    """What the caller changes later does not change the document."""
    given = body()
    document = read_document(given)
    given["properties"]["customize"].clear()

    assert document.body["properties"]["customize"]


def test_dict_with_what_is_no_json() -> None:
    """A date in a dict is an error that says what may stand there."""
    with pytest.raises(ImageTemplateReadError, match=r"not JSON.*date"):
        read_document(BARE | {"tags": {"built": date(2025, 1, 1)}})


@pytest.mark.parametrize("name", ["linux-2019.json", "windows-2020.json", "gallery-deployment.json", "current.yaml"])
def test_sample_documents_are_read(name: str) -> None:
    """Files of all forms are read: bare, deployment, YAML, with comments."""
    document = read_document(SAMPLES / name)

    assert document.body["properties"]["source"]
    assert document.source.endswith(name)


def test_path_as_text() -> None:
    """A path may be text."""
    assert read_document(str(SAMPLES / "windows-2020.json")).body["location"] == "westeurope"


def test_byte_order_mark(tmp_path: Path) -> None:
    """A file that begins with a byte order mark is read."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(BARE), encoding="utf-8-sig")

    assert read_document(file).body == BARE


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is an error with its path."""
    with pytest.raises(ImageTemplateReadError, match=r"none\.json.*No such file") as caught:
        read_document(tmp_path / "none.json")

    assert caught.value.source == str(tmp_path / "none.json")


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    """A file in another encoding is an error with line and column."""
    file = tmp_path / "a.json"
    file.write_bytes(b'{\n "x": "caf\xe9"}')

    with pytest.raises(ImageTemplateReadError, match="not UTF-8") as caught:
        read_document(file)
    assert (caught.value.line, caught.value.column) == (2, 11)


@pytest.mark.parametrize("content", ["[]", '"text"', "null", "1"])
def test_file_without_an_object(tmp_path: Path, content: str) -> None:
    """A file must hold an object."""
    file = tmp_path / "a.json"
    file.write_text(content)

    with pytest.raises(ImageTemplateReadError, match="instead of an object"):
        read_document(file)


def test_resource_of_another_type() -> None:
    """Another resource is refused by its type."""
    with pytest.raises(ImageTemplateReadError, match=r"Microsoft\.Compute/galleries"):
        read_document({"type": "Microsoft.Compute/galleries", **BARE})


@pytest.mark.parametrize("kind", ["microsoft.virtualmachineimages/imagetemplates", "Microsoft.VirtualMachineImages"])
def test_spellings_of_the_type(kind: str) -> None:
    """The type in another letter case, and cut short as in some samples, is accepted."""
    assert read_document({"type": kind, **BARE}).body["type"] == kind


def test_resource_without_properties() -> None:
    """Properties must be there, or the whole is no image template."""
    with pytest.raises(ImageTemplateReadError, match="no object 'properties'"):
        read_document({"location": "eastus", "source": {}})


@pytest.mark.parametrize(("text", "said"), [(" \n", "a.json is empty"), ('{"foo": 1}', "a.json is no image template")])
def test_files_that_hold_nothing_of_it(tmp_path: Path, text: str, said: str) -> None:
    """An empty file, and one without anything of an image template, are refused by what they are."""
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(ImageTemplateReadError, match=said):
        read_document(file)


def test_deployment_file() -> None:
    """A deployment file gives its image template with declarations, variables and siblings."""
    gallery = {"type": "Microsoft.Compute/galleries", "name": "g"}
    document = read_document(deployment(gallery, image_template("t")))

    assert document.is_deployment
    assert document.name == "t"
    assert (document.parameters, document.variables) == ({"p": {"type": "string"}}, {"v": 1})
    assert [sibling.name for sibling in document.siblings] == ["g", "t"]


def test_several_image_templates_need_a_name() -> None:
    """Of several image templates one must be named, and the error lists them."""
    several = deployment(image_template("a"), image_template("[parameters('b')]"))

    assert read_document(several, name="A").name == "a"
    assert read_document(several, name="[parameters('b')]").name == "[parameters('b')]"
    with pytest.raises(ImageTemplateReadError, match=r"2 image templates.*'a'.*parameters"):
        read_document(several)
    with pytest.raises(ImageTemplateReadError, match="'c' is not exactly one of them"):
        read_document(several, name="c")


def test_symbolic_names() -> None:
    """Where resources are an object, the key names the image template too."""
    file = SAMPLES / "symbolic-deployment.json"

    assert read_document(file, name="linux").name == "linux-image"
    assert read_document(file, name="windows-image").name == "windows-image"


def test_single_image_template_needs_no_name() -> None:
    """One image template is taken whatever the name that is asked for: its own may be an expression."""
    assert read_document(deployment(image_template("[parameters('n')]")), name="t").name == "[parameters('n')]"


def test_deployment_without_image_template() -> None:
    """A deployment file without an image template is an error."""
    with pytest.raises(ImageTemplateReadError, match="holds no image template"):
        read_document(deployment({"type": "Microsoft.Compute/galleries", "name": "g"}))


@pytest.mark.parametrize(
    "broken",
    [
        {"resources": None},
        {"resources": [None, "text"]},
        {"resources": [], "parameters": 1},
        {"resources": [{"type": IMAGE_TEMPLATE_TYPE, **BARE}], "parameters": [1]},
        {"resources": [{"type": IMAGE_TEMPLATE_TYPE, **BARE}], "variables": "x"},
        {**BARE, "dependsOn": "x"},
        {},
    ],
)
def test_odd_shapes(broken: dict[str, Any]) -> None:
    """Odd shapes are errors of reading, never others."""
    with pytest.raises(ImageTemplateReadError):
        read_document(broken)


def test_depends_on_is_kept_as_written() -> None:
    """What must be there before is kept for rendering."""
    assert read_document({**BARE, "dependsOn": ["a", "[b()]"]}).depends_on == ("a", "[b()]")


def test_all_image_templates_of_a_file() -> None:
    """Every image template of a deployment file is read, and knows where it stands in it."""
    other = {"type": "Microsoft.Compute/galleries", "name": "corp"}
    documents = read_documents(deployment(image_template("a"), other, image_template("b")))

    assert [(document.name, document.pointer) for document in documents] == [
        ("a", "/resources/0"),
        ("b", "/resources/2"),
    ]


def test_a_key_that_stands_twice_is_shown(tmp_path: Path) -> None:
    """The second one is shown with its line, and the line of the first."""
    file = tmp_path / "a.json"
    file.write_text('{"location": "a",\n"properties": {"source": {},\n"source": {}}}')
    (finding,) = read_document(file).findings

    assert (finding.path, finding.line, finding.column) == ("/properties/source", 3, 1)
    assert "line 2" in finding.message


def test_yaml_anchors_cannot_grow_without_bound(tmp_path: Path) -> None:
    """Anchors inside anchors, which would be billions of values, are an error."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    file = tmp_path / "a.yaml"
    file.write_text("\n".join(lines))

    with pytest.raises(ImageTemplateReadError, match="more than 200000 values"):
        read_document(file)


@pytest.mark.parametrize("ending", ["json", "yaml"])
@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, '{"a":' * 50_000])
def test_deep_nesting_is_an_error(tmp_path: Path, text: str, ending: str) -> None:
    """A document that is nested without end is an error, in both formats."""
    file = tmp_path / f"a.{ending}"
    file.write_text(text)

    with pytest.raises(ImageTemplateReadError):
        read_document(file)


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("type: Microsoft.VirtualMachineImages/imageTemplates", True),
        ("type: microsoft.virtualmachineimages/imagetemplates\n", True),
        ("type: Microsoft.VirtualMachineImages/imageTemplates # a comment", True),
        ('{"type":"Microsoft.VirtualMachineImages"}', True),
        ("{type: 'Microsoft.VirtualMachineImages/imageTemplates'}", True),
        ('{"Actions": ["Microsoft.VirtualMachineImages/imageTemplates/read"], "type": "CustomRole"}', False),
        ("- az resource show --resource-type Microsoft.VirtualMachineImages/imageTemplates", False),
        ('[{"type": "Microsoft.VirtualMachineImages/imageTemplates/triggers"}]', False),
        ("", False),
    ],
)
def test_what_looks_like_an_image_template(tmp_path: Path, text: str, looks: bool) -> None:
    """A file with a resource of the type does; one that only mentions the type does not."""
    file = tmp_path / "a"
    file.write_text(text)

    assert is_image_template_file(file) is looks


def test_what_cannot_be_opened_does_not_look_like_one(tmp_path: Path) -> None:
    """The quick look never fails."""
    assert is_image_template_file(tmp_path / "nowhere") is False
