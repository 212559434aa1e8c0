from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.fingerprint import fingerprint
from airflow_aib.image_template.render import render
from airflow_aib.image_template.values.parameters import RenderContext
from tests.unit.airflow_aib.cli.calling import call, deployment, resource, write
from tests.unit.airflow_aib.image_template.sample_documents import PARAMETERS, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = RenderContext("11111111-2222-3333-4444-555555555555", "images", "eastus")
PLACE = ("--subscription-id", CONTEXT.subscription_id, "--resource-group", "images", "--location", "eastus")
NETWORK = {"vnetConfig": {"name": "n", "subnetName": "s", "resourceGroupName": "g"}}


def assignments(name: str) -> list[str]:
    """Return the options that pass what a sample asks for."""
    return [text for key, value in PARAMETERS[name].items() for text in ("--set", f"{key}={value}")]


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_exact_body(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """What is printed is what the operators submit, member for member and in the same order."""
    outcome = call(capsys, "render", SAMPLES / name, *PLACE, *assignments(name), "--show-secrets")
    body = render(read_document(SAMPLES / name), PARAMETERS[name], CONTEXT).body

    assert outcome.code == 0
    assert outcome.stdout == json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def test_as_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On demand, old spellings stay."""
    file = write(tmp_path / "a.json", resource(vmProfile=NETWORK))
    profile = [
        json.loads(call(capsys, "render", file, *PLACE, *options).stdout)["properties"]["vmProfile"]
        for options in ([], ["--written"])
    ]

    assert list(profile[0]["vnetConfig"]) == ["subnetId"]
    assert profile[1] == NETWORK


def test_all_missing_names_are_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is missing, parameters and the place, is one message with the ways to pass it."""
    file = write(
        tmp_path / "a.json", resource(source="<one>", x="<two>", y="<subscriptionId>") | {"location": "<region>"}
    )
    outcome = call(capsys, "render", file)

    assert (outcome.code, outcome.stdout) == (1, "")
    assert "has no value for 'one', 'two', subscription-id, location." in outcome.stderr
    assert "Pass --set one=VALUE, --set two=VALUE, --subscription-id VALUE, --location VALUE" in outcome.stderr


def test_the_place_counts_only_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document that says everything itself can be rendered without a place."""
    file = write(tmp_path / "a.json", resource())

    assert call(capsys, "render", file).code == 0


def test_a_place_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No stand-in of a place is ever printed."""
    file = write(tmp_path / "a.json", resource(x="<rgName>"))
    outcome = call(capsys, "render", file)

    assert (outcome.code, outcome.stdout) == (1, "")
    assert "has no value for resource-group. Pass --resource-group VALUE." in outcome.stderr


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ("[uniqueString(resourceGroup().id)]", "subscription-id, resource-group"),
        ("[guid(resourceGroup().name)]", "resource-group"),
        ("[take(resourceGroup().location, 1)]", "location"),
        ("[length(resourceGroup().name)]", "resource-group"),
    ],
)
@pytest.mark.parametrize("command", ["render", "fingerprint"])
def test_a_place_that_is_hidden(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, asked: str, option: str
) -> None:
    """A place that only a hash or a piece of it shows is missed as well."""
    outcome = call(capsys, command, write(tmp_path / "a.json", deployment(resource(x=asked))))

    assert (outcome.code, outcome.stdout) == (1, "")
    assert f"has no value for {option}." in outcome.stderr


def test_a_subscription_of_zeros(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a document itself writes is no missing place, whatever it is."""
    written = ["/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/some-group", "some-region"]

    assert call(capsys, "render", write(tmp_path / "a.json", resource(x=written))).code == 0


@pytest.mark.parametrize(("name", "code"), [("two", 0), ("TWO", 0), ("three", 1)])
def test_one_of_several(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int) -> None:
    """A name says which image template of a file is meant; letter case does not count."""
    file = write(tmp_path / "a.json", deployment(resource(), resource(x=2)))
    outcome = call(capsys, "render", file, "--name", name)

    assert outcome.code == code
    assert ('"x": 2' in outcome.stdout) is (code == 0)
    assert ("There are: one, two." in outcome.stderr) is (code == 1)


@pytest.mark.parametrize(
    ("path", "said"), [("a.json", "--name: one, two"), (".", "is a folder"), ("b.json", "no file")]
)
def test_what_cannot_be_rendered_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str, said: str
) -> None:
    """A call that does not name one image template is unusable."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.json", deployment(resource(), resource()))
    outcome = call(capsys, "render", path)

    assert outcome.code == 2
    assert said in outcome.stderr


def test_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is standard input here too."""
    outcome = call(capsys, "render", "-", stdin=json.dumps(resource()).encode())

    assert (outcome.code, json.loads(outcome.stdout)["location"]) == (0, "eastus")


def test_a_broken_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read says where it is broken."""
    outcome = call(capsys, "render", write(tmp_path / "a.json", "{"))

    assert outcome.code == 1
    assert "a.json, line 1, column 2" in outcome.stderr


def test_fingerprints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line has the digest of the rendered body and the file, and the name where a file holds several."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.json", resource())
    write(tmp_path / "b.json", deployment(resource(x=1), resource()))
    outcome = call(capsys, "fingerprint", ".", "--set", "unused=1")
    lines = [line.split("  ") for line in outcome.stdout.splitlines()]

    assert outcome.code == 0
    assert [place for _, place in lines] == ["a.json", "b.json#one", "b.json#two"]
    assert [digest for digest, _ in lines][::2] == [fingerprint(resource())] * 2
    assert lines[0][0] != lines[1][0]


def test_the_fingerprint_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name chooses one of several."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "b.json", deployment(resource(x=1), resource()))

    assert call(capsys, "fingerprint", "b.json", "--name", "two").stdout == f"{fingerprint(resource())}  b.json#two\n"


def test_a_fingerprint_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with missing values is named, and the others have their lines."""
    write(tmp_path / "a.json", resource(x="<subscriptionId>"))
    write(tmp_path / "b.json", resource())
    outcome = call(capsys, "fingerprint", tmp_path)

    assert outcome.code == 1
    assert "subscription-id" in outcome.stderr
    assert outcome.stdout.endswith("b.json\n")
