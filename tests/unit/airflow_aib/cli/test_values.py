from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airflow_aib.cli.calling import call, deployment, resource, write

if TYPE_CHECKING:
    from pathlib import Path

PLACE = ("--subscription-id", "s", "--resource-group", "g", "--location", "eastus")


def rendered_timeout(capsys: pytest.CaptureFixture[str], file: Path, *arguments: object) -> Any:
    """Return the member into which the tests put a value."""
    outcome = call(capsys, "render", file, *PLACE, *arguments)
    assert outcome.code == 0, outcome.stderr
    return json.loads(outcome.stdout)["properties"]["x"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("true", True),
        ('["a"]', ["a"]),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ("", ""),
        ("null", "null"),
        ('"quoted"', '"quoted"'),
        ("NaN", "NaN"),
        ("a=b", "a=b"),
        ("[0-9]", "[0-9]"),
    ],
)
def test_set(tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: str, value: object) -> None:
    """What reads as a JSON number, boolean, list or object is one, and everything else is text."""
    file = write(tmp_path / "a.json", resource(x="<value>"))

    assert rendered_timeout(capsys, file, "--set", f"value={typed}") == value


def test_a_number_for_a_text_is_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value of a parameter that is declared as text stays what was typed."""
    file = write(tmp_path / "a.json", deployment(resource(x="[parameters('v')]"), v={"type": "string"}))

    assert rendered_timeout(capsys, file, "--set", "V=1.10") == "1.10"


@pytest.mark.parametrize(
    "content",
    ['{"parameters": {"value": {"value": 7}}}', '{"value": 7} // plain', "value: 7", "parameters: {value: {value: 7}}"],
)
def test_parameters_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    """Values come from an ARM parameters file, or from plain names with values, in JSON or YAML."""
    file = write(tmp_path / "a.json", resource(x="<value>"))
    parameters = write(tmp_path / f"p.{'json' if content.startswith('{') else 'yaml'}", content)

    assert rendered_timeout(capsys, file, "--parameters", parameters) == 7


def test_set_comes_before_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value of `--set` replaces that of the file, whatever the letter case of its name."""
    file = write(tmp_path / "a.json", resource(x="<value>"))
    parameters = write(tmp_path / "p.json", {"Value": 7})

    assert rendered_timeout(capsys, file, "--parameters", parameters, "--set", "value=8") == 8


def test_names_that_no_file_asks_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name of the parameters file that nobody asks for is one warning on that file; several files may share one."""
    one = write(tmp_path / "one.json", resource(vmProfile={"vmSize": "<size>"}))
    two = write(tmp_path / "two.json", resource(vmProfile={"osDiskSizeGB": "<disk>"}))
    parameters = write(tmp_path / "p.json", {"size": "Standard_D2s_v5", "disk": 128, "sise": "s"})
    outcome = call(capsys, "check", one, two, "--parameters", parameters, "--format", "json")

    assert [(finding["file"], finding["rule"], finding["line"]) for finding in outcome.findings] == [
        (str(parameters), "parameter-unused", 4)
    ]
    assert "'sise'" in outcome.findings[0]["message"]
    assert outcome.code == 0


def test_names_in_an_arm_parameters_file_have_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The warning points at the name inside `parameters`."""
    file = write(tmp_path / "a.json", resource())
    parameters = write(tmp_path / "p.json", {"parameters": {"size": {"value": 1}}})
    (finding,) = call(capsys, "check", file, "--parameters", parameters, "--format", "json").findings

    assert (finding["line"], finding["column"]) == (3, 5)


def test_unused_names_can_be_switched_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A parameters file may hold more on purpose."""
    file = write(tmp_path / "a.json", resource())
    parameters = write(tmp_path / "p.json", {"size": 1})
    options = ("--parameters", parameters, "--disable", "parameter-unused=shared", "--show-switched-off")
    (finding,) = call(capsys, "check", file, *options, "--format", "json").findings

    assert finding["switchedOff"] == "shared"


def test_nothing_is_called_unused_while_a_file_cannot_be_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read may have asked for it."""
    write(tmp_path / "a.json", resource())
    write(tmp_path / "b.json", "{").write_text('{"type": "Microsoft.VirtualMachineImages"')
    parameters = write(tmp_path / "p.yaml", "size: 1")
    outcome = call(capsys, "check", tmp_path, "--parameters", parameters, "--set", "x=1", "--format", "json")

    assert outcome.rules == ["document-unreadable"]
    assert outcome.stderr == ""


def test_an_unused_name_of_set_is_remarked_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name of `--set` stands in no file: a remark on stderr says it, without the value."""
    file = write(tmp_path / "a.json", resource())
    outcome = call(capsys, "check", file, "--set", "sise=hunter22", "--strict")

    assert outcome.code == 0
    assert outcome.stderr == "airflow-aib: No checked file asks for --set sise.\n"


def test_nothing_is_called_unused_where_a_hook_names_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values are meant for all files, and with `--only-image-templates` some tool hands over those that changed."""
    file = write(tmp_path / "a.json", resource())
    parameters = write(tmp_path / "p.json", {"size": 1})
    options = ("--parameters", parameters, "--set", "region=eastus", "--only-image-templates", "--strict")
    outcome = call(capsys, "check", file, *options)

    assert (outcome.code, outcome.stderr) == (0, "")


def test_a_value_that_the_declaration_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The finding stands at the declaration, quotes the value, and names the file once."""
    declared = {"stage": {"type": "string", "allowedValues": ["dev", "prod"]}}
    file = write(tmp_path / "a.json", deployment(resource(), **declared))
    outcome = call(capsys, "check", file, "--set", "stage=test", "--format", "json")

    assert [
        (finding["path"], finding["line"], finding["message"], finding["hint"]) for finding in outcome.findings
    ] == [("/parameters/stage", 3, "parameter 'stage' must be one of 'dev', 'prod', not 'test'", "Pass another value.")]


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31 12:00"),
        ("2026-01-31", "2026-01-31 00:00"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31 10:00"),
    ],
)
def test_a_call_says_the_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str], moment: str, written: str) -> None:
    """`utcNow()` writes the moment of the call, in UTC; without one, the error says how to pass it."""
    declared = {"at": {"type": "string", "defaultValue": "[utcNow('yyyy-MM-dd HH:mm')]"}}
    made = resource() | {"tags": {"made": "[parameters('at')]"}}
    file = write(tmp_path / "a.json", deployment(made, **declared))
    place = ("--subscription-id", "s", "--resource-group", "g", "--location", "eastus")

    assert f'"made": "{written}"' in call(capsys, "render", file, *place, "--now", moment).stdout
    assert call(capsys, "fingerprint", file, *place, "--now", moment).code == 0
    assert "--now" in call(capsys, "render", file, *place).stderr


def test_a_moment_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no moment makes the call unusable."""
    outcome = call(capsys, "render", write(tmp_path / "a.json", resource()), "--now", "soon")

    assert outcome.code == 2
    assert "--now takes a moment in ISO 8601" in outcome.stderr


def test_unused_names_fail_no_strict_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shared parameters file may hold more than one folder asks for: that is shown, and is no failure."""
    write(tmp_path / "images" / "a.json", resource())
    parameters = write(tmp_path / "p.json", {"size": 1})
    outcome = call(capsys, "check", tmp_path / "images", "--strict", "--parameters", parameters, "--format", "json")

    assert (outcome.code, outcome.rules) == (0, ["parameter-unused"])


@pytest.mark.parametrize("assignment", ["hunter22", "=hunter22"])
def test_a_value_without_name_is_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], assignment: str
) -> None:
    """Whoever forgets the name may have typed a secret."""
    file = write(tmp_path / "a.json", resource())
    outcome = call(capsys, "check", file, "--set", assignment)

    assert outcome.code == 2
    assert "hunter22" not in outcome.stdout + outcome.stderr


def test_a_reference_to_a_key_vault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that only ARM's own deployments look up is a warning of a check, and an error of what is submitted."""
    file = write(tmp_path / "a.json", resource(vmProfile={"vmSize": "<size>"}))
    reference = {"size": {"reference": {"keyVault": {"id": "v"}, "secretName": "s"}}}
    parameters = write(tmp_path / "p.json", {"$schema": "deploymentParameters", "parameters": reference})
    checked = call(capsys, "check", file, "--parameters", parameters, "--format", "json")
    rendered = call(capsys, "render", file, *PLACE, "--parameters", parameters)

    assert (checked.code, checked.rules) == (0, ["needs-azure"])
    assert rendered.code == 1
    assert "Key Vault" in rendered.stderr
