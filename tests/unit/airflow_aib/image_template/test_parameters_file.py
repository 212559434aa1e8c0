from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.parameters_file import KeyVaultReference, read_parameters

if TYPE_CHECKING:
    from pathlib import Path

VAULT = {"keyVault": {"id": "/subscriptions/s"}, "secretName": "token"}


def read(folder: Path, text: str, name: str = "linux.parameters.json") -> dict[str, Any]:
    """Write a file and read it."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return read_parameters(file)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.json",
            '{"$schema": "s", "contentVersion": "1", "parameters": {"a": {"value": [1]}, "b": {"value": null}}}',
        ),
        ("a.json", '\ufeff// why\n{"parameters": {"a": {"value": [1]}, "b": {"value": null}}}'),
        ("a.jsonc", '{"a": [1], /* why */ "b": null,}'),
        ("a.yaml", "a: [1]\nb: null\n"),
        ("a.yml", "parameters:\n  a:\n    value: [1]\n  b:\n    value:\n"),
    ],
)
def test_both_forms_in_both_formats(tmp_path: Path, name: str, text: str) -> None:
    """ARM's form and plain names give the same values, in JSON and YAML."""
    assert read(tmp_path, text, name) == {"a": [1], "b": None}


@pytest.mark.parametrize(
    "content",
    [
        {"parameters": {"a": 1}},
        {"parameters": {"value": 1}, "b": 2},
        {"resources": ["disk"], "properties": {"source": "s"}, "type": "Linux"},
    ],
)
def test_a_parameter_may_be_called_parameters(tmp_path: Path, content: dict[str, Any]) -> None:
    """What does not look like ARM's form, or like an image template, is a plain object, whatever its names."""
    assert read(tmp_path, json.dumps(content)) == content


def test_a_file_of_no_parameters(tmp_path: Path) -> None:
    """ARM's form may leave everything to the defaults."""
    assert read(tmp_path, '{"$schema": "s"}') == {}


def test_references_to_key_vaults(tmp_path: Path) -> None:
    """A reference is kept as one, since only ARM's deployments look into the vault."""
    assert read(tmp_path, json.dumps({"parameters": {"t": {"reference": VAULT}}})) == {"t": KeyVaultReference("token")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "holds no object with parameters"),
        ('{"$schema": "s", "parameters": []}', "'parameters' in .*json is not an object"),
        ('{"$schema": "s", "parameters": {"a": 1}}', "at /parameters/a: there is neither 'value' nor 'reference'"),
        ('{"a": }', "line 1, column 7"),
        ('{"type": "Microsoft.VirtualMachineImages/imageTemplates"}', "holds an image template, not values"),
        ('{"properties": {"source": {}, "distribute": []}}', "holds an image template, not values"),
        (
            '{"$schema": "s", "resources": [{"type": "Microsoft.VirtualMachineImages/imageTemplates"}]}',
            "holds an image template, not values",
        ),
        (
            '{"resources": {"a": {"type": "microsoft.virtualmachineimages/imagetemplates"}}}',
            "holds an image template, not values",
        ),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, words: str) -> None:
    """What is wrong is told with file and place."""
    with pytest.raises(ImageTemplateReadError, match=words) as caught:
        read(tmp_path, text)

    assert "linux.parameters.json" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is not there, or not text, is an error that names it."""
    (tmp_path / "binary.json").write_bytes(b"{\xff}")

    with pytest.raises(ImageTemplateReadError, match=r"nowhere\.json: No such file"):
        read_parameters(tmp_path / "nowhere.json")
    with pytest.raises(ImageTemplateReadError, match=r"binary\.json is not UTF-8 at byte 1"):
        read_parameters(tmp_path / "binary.json")
