from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_template.members.api_versions import API_VERSIONS
from tests.unit.airflow_aib.cli.calling import call, deployment, resource, write

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {}
ERROR = {"buildTimeoutInMinutes": 3}


@pytest.mark.parametrize(
    ("properties", "options", "code"),
    [
        (GOOD, [], 0),
        (GOOD, ["--strict"], 0),
        ({"source": {"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s"}}, [], 0),
        ({"source": {"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s"}}, ["--strict"], 1),
        (ERROR, [], 1),
        (ERROR, ["--disable", "timeout-too-short=a test"], 0),
    ],
)
def test_the_exit_code_says_how_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], properties: dict[str, Any], options: list[str], code: int
) -> None:
    """Errors end with 1, warnings only if the call is strict, and what is switched off never."""
    file = write(tmp_path / "a.json", resource(**properties))

    assert call(capsys, "check", file, *options).code == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.json"], "There is no file or folder nowhere.json."),
        (["a.json", "--parameters", "nowhere.json"], "nowhere.json"),
        (["a.json", "--parameters", "list.json"], "no object"),
        (["a.json", "--parameters", "vault.json"], "neither 'value' nor 'reference'"),
        (["a.json", "--parameters", "a.json"], "--parameters: a.json holds an image template, not values."),
        (["a.json", "--set", "name"], "--set takes NAME=VALUE."),
        (["a.json", "--disable", "timeout-to-short=why"], "Did you mean timeout-too-short?"),
        (["a.json", "--disable", "timeout-too-short"], "say why"),
        (["a.json", "--disable", "timeout-too-short= "], "say why"),
        (["a.json", "--disable", "document-unreadable=why"], "cannot be switched off"),
        (["a.json", "--disable", "switch-unused=why"], "cannot be switched off"),
        (["a.json", "--api-version", "2019-13-01"], "2025-10-01"),
        (["a.json", "--stdin-filename", "b.json"], "reads standard input"),
    ],
)
def test_an_unusable_call_ends_with_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """A call with which nothing can be done says on stderr what is wrong, and writes nothing to stdout."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.json", resource())
    write(tmp_path / "list.json", "[]")
    vault = {"secret": {"valu": "s"}}
    write(tmp_path / "vault.json", {"$schema": "deploymentParameters", "parameters": vault})
    outcome = call(capsys, "check", *arguments)

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert said in outcome.stderr


@pytest.mark.parametrize("arguments", [["check"], ["check", "a", "--format", "xml"], ["build"], []])
def test_wrong_options_end_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """What argparse refuses ends with 2 as well."""
    with pytest.raises(SystemExit) as ending:
        call(capsys, *arguments)

    assert ending.value.code == 2


@pytest.mark.parametrize("api_version", [*API_VERSIONS, "2099-01-01"])
def test_an_api_version_decides_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], api_version: str
) -> None:
    """A document is compared with the tables of the api-version that is asked for; a newer one may exist."""
    file = write(tmp_path / "a.json", resource(optimize={"vmBoot": {"state": "Enabled"}}))
    rules = call(capsys, "check", file, "--api-version", api_version, "--format", "json").rules

    assert ("member-version" in rules) is (api_version < "2022-07-01")
    assert ("api-version-unknown" in rules) is (api_version == "2099-01-01")


def test_values_that_nobody_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document is checked as far as it is known: what is missing is a warning, and what else is wrong an error."""
    file = write(tmp_path / "a.json", resource(vmProfile={"vmSize": "<size>"}, **ERROR) | {"location": "<region>"})
    outcome = call(capsys, "check", file, "--format", "json")

    assert [(finding["severity"], finding["rule"]) for finding in outcome.findings] == [
        ("warning", "parameter-missing"),
        ("error", "timeout-too-short"),
    ]
    assert outcome.findings[0]["message"] == "No value is known for <size>"
    assert outcome.findings[0]["hint"] == (
        "Pass --set size=VALUE, or a file with --parameters; what depends on it is not checked."
    )
    assert outcome.stdout.isascii()


def test_image_templates_beside_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What two files must not share is found at the later one, unless it is switched off."""
    image = "/subscriptions/<subscriptionId>/resourceGroups/g/providers/Microsoft.Compute/images/i"
    to = {"type": "ManagedImage", "imageId": image, "location": "eastus", "runOutputName": "i"}
    written = json.dumps(resource(distribute=[to])).replace("<subscriptionId>", "11111111-2222-3333-4444-555555555555")
    files = [write(tmp_path / name, written) for name in ("a.json", "b.json")]
    outcome = call(capsys, "check", tmp_path, "--format", "json")
    off = call(
        capsys, "check", tmp_path, "--format", "json", "--disable", "managed-image-shared=a test", "--show-switched-off"
    )

    assert [(finding["file"], finding["rule"]) for finding in outcome.findings] == [
        (str(files[1]), "managed-image-shared")
    ]
    assert [finding["switchedOff"] for finding in off.findings] == ["a test"]


def test_whatever_is_wrong_with_a_file_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that cannot be read, or rendered, are reported with their place, and the others are still checked."""
    write(tmp_path / "broken.json", '{\n "type": "Microsoft.VirtualMachineImages/imageTemplates",\n "x": }')
    write(tmp_path / "holes.json", resource(source="[int('many')]"))
    write(tmp_path / "latin.json", "").write_bytes(b'{"type": "Microsoft.VirtualMachineImages", \n"\xe9": 1}')
    write(tmp_path / "wrong.json", resource(**ERROR))
    outcome = call(capsys, "check", tmp_path, "--format", "json")

    assert outcome.code == 1
    assert [(finding["file"].rpartition("/")[2], finding["rule"], finding["line"]) for finding in outcome.findings] == [
        ("broken.json", "document-unreadable", 3),
        ("holes.json", "document-unrenderable", 11),
        ("latin.json", "document-unreadable", 2),
        ("wrong.json", "timeout-too-short", 33),
    ]


def test_a_named_file_that_cannot_be_opened_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dangling link is there, and cannot be read."""
    link = tmp_path / "a.json"
    link.symlink_to(tmp_path / "nowhere.json")
    outcome = call(capsys, "check", link, "--format", "json")

    assert outcome.code == 1
    assert outcome.rules == ["document-unreadable"]


def test_every_image_template_of_a_file_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of several image templates has its findings, in the order of the file."""
    file = write(tmp_path / "a.json", deployment(resource(), resource(**ERROR), resource(distribute=[])))
    outcome = call(capsys, "check", file, "--format", "json")

    assert [finding["path"] for finding in outcome.findings] == [
        "/resources/1/properties/buildTimeoutInMinutes",
        "/resources/2/properties/distribute",
    ]


def test_what_a_file_has_once_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that stands twice concerns the file, however many image templates are in it."""
    text = json.dumps(deployment(resource(), resource())).replace('"parameters"', '"variables": {}, "parameters"', 1)
    file = write(tmp_path / "a.json", text.replace('"variables"', '"parameters": {}, "variables"', 1))

    assert call(capsys, "check", file, "--format", "json").rules == ["key-twice"]


@pytest.mark.parametrize(
    "place",
    [
        [],
        ["--subscription-id", "11111111-2222-3333-4444-555555555555", "--resource-group", "g", "--location", "eastus"],
    ],
)
def test_findings_do_not_depend_on_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: list[str]
) -> None:
    """Where the image template will live need not be said in order to check it."""
    group = "/subscriptions/<subscriptionId>/resourceGroups/"
    image = f"{group}<rgName>/providers/Microsoft.Compute/images/i"
    written = resource(source={"type": "ManagedImage", "imageId": image}, stagingResourceGroup=f"{group}s", **ERROR)
    written |= {"location": "<region>", "tags": {"made": "<region>"}}
    file = write(tmp_path / "a.json", written)

    assert call(capsys, "check", file, "--format", "json", *place).rules == ["timeout-too-short"]


def test_a_place_that_nobody_says_is_no_other_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A staging resource group is in another subscription only if that of the image template is known."""
    subscriptions = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
    file = write(
        tmp_path / "a.json", resource(stagingResourceGroup=f"/subscriptions/{subscriptions[0]}/resourceGroups/s")
    )
    rules = [
        call(capsys, "check", file, "--format", "json", *options).rules
        for options in ((), *(("--subscription-id", one, "--resource-group", "g") for one in subscriptions))
    ]

    assert rules == [[], [], ["staging-subscription"]]


def test_switched_off_for_a_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is switched off is shown only when asked for, with the reason."""
    file = write(tmp_path / "a.json", resource(**ERROR))
    arguments = ("check", file, "--format", "json", "--disable", "timeout-too-short=a test=really")
    quiet, loud = call(capsys, *arguments), call(capsys, *arguments, "--show-switched-off")

    assert (quiet.code, quiet.findings) == (0, [])
    assert loud.code == 0
    assert [finding["switchedOff"] for finding in loud.findings] == ["a test=really"]


def test_what_cannot_be_rendered_stays_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in such a file is checked, so that its own metadata cannot make it pass."""
    off = {"metadata": {"airflow-aib": {"disable": {"document-unrenderable": "a test"}}}}
    file = write(tmp_path / "a.json", resource(source="[int('many')]") | off)

    assert call(capsys, "check", file).code == 1


def test_a_nested_deployment_can_be_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What only Azure can pass on is a warning, which a call may switch off."""
    nested = {"type": "Microsoft.Resources/deployments", "properties": {"template": {"resources": [resource()]}}}
    file = write(tmp_path / "a.json", {"resources": [nested]})

    assert call(capsys, "check", file, "--strict", "--disable", "document-nested=a test").code == 0


def test_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads standard input, under the name that is given for it."""
    stdin = json.dumps(resource(**ERROR)).encode()
    outcome = call(capsys, "check", "-", "--stdin-filename", "a.json", "--format", "json", stdin=stdin)

    assert [(finding["file"], finding["rule"]) for finding in outcome.findings] == [("a.json", "timeout-too-short")]


def test_yaml_from_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name, the first character tells JSON from YAML."""
    outcome = call(capsys, "check", "-", stdin=b"location: eastus\nproperties: {buildTimeoutInMinutes: 3}\n")

    assert "<stdin>:2:14: error:" in outcome.stdout
