from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_aib.cli.console import wants_colour
from airflow_aib.cli.output.excerpts import WIDTH
from tests.unit.airflow_aib.cli.calling import call, resource, write

if TYPE_CHECKING:
    from pathlib import Path

YAML = """\
type: Microsoft.VirtualMachineImages/imageTemplates
location: eastus
identity: {type: UserAssigned, userAssignedIdentities: {"<identity>": {}}}
properties:
  source: {type: PlatformImage, publisher: Canonical, offer: o, sku: s, version: latest}
BODY  distribute: [{type: VHD, runOutputName: vhd}]
"""
IDENTITY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"


def text_of(
    capsys: pytest.CaptureFixture[str], folder: Path, lines: str, *options: str, name: str = "a.yaml"
) -> list[str]:
    """Return what a call writes about a YAML document with these lines in its properties."""
    write(folder / name, YAML.replace("BODY", lines))
    return call(capsys, "check", name, "--set", f"identity={IDENTITY}", *options).stdout.splitlines()


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_finding_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding says file, line, column, severity, message and rule; its line, marked; what to do; and a count ends."""
    assert text_of(capsys, tmp_path, "  buildTimeoutInMinutes: 3 # short\n") == [
        "a.yaml:6:3: error: AIB fails every build with 3 minutes [timeout-too-short]",
        "  6 |   buildTimeoutInMinutes: 3 # short",
        "    |   ^~~~~~~~~~~~~~~~~~~~~~~~",
        "    = Write 0, which means 240, or at least 6.",
        "1 error, 0 warnings in 1 image template, 1 file",
    ]


def test_the_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clean call says how much was checked; what is switched off is counted too."""
    assert text_of(capsys, tmp_path, "") == ["0 errors, 0 warnings in 1 image template, 1 file"]
    off = "  buildTimeoutInMinutes: 3 # airflow-aib: disable=timeout-too-short -- a test\n"
    assert text_of(capsys, tmp_path, off) == ["0 errors, 0 warnings, 1 switched off in 1 image template, 1 file"]


def test_switched_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On demand, what is switched off is shown with its reason."""
    off = "  buildTimeoutInMinutes: 3 # airflow-aib: disable=timeout-too-short -- a test\n"
    lines = text_of(capsys, tmp_path, off, "--show-switched-off")

    assert lines[0] == "a.yaml:6:3: switched off: AIB fails every build with 3 minutes [timeout-too-short]"
    assert "    = switched off: a test" in lines


def test_a_value_of_several_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mark ends with the line on which the key stands."""
    lines = text_of(
        capsys, tmp_path, "  customize:\n    - type: Shell\n      name: a\n      x: |\n        1\n        2\n"
    )

    assert lines[1:3] == ["  7 |     - type: Shell", "    |       ^~~~~~~~~~~"]


def test_tabs_are_as_wide_as_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tab is printed as four spaces, and the mark stands under its place all the same."""
    document = json.dumps(resource(buildTimeoutInMinutes=3), indent="\t")
    write(tmp_path / "a.json", document.replace('": 3', '":\t3'))
    lines = call(capsys, "check", "a.json").stdout.splitlines()

    assert lines[1].endswith(' |         "buildTimeoutInMinutes":    3')
    assert lines[2].endswith(" |         ^" + "~" * (len('"buildTimeoutInMinutes":    3') - 1))


def test_wide_characters_take_two_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mark stands under its place also behind characters that a terminal shows twice as wide."""
    write(tmp_path / "a.json", json.dumps(resource(buildTimeoutInMinutes=3), indent=1).replace(' "b', ' /* 漢字 */ "b'))
    _, line, mark, *_ = call(capsys, "check", "a.json").stdout.splitlines()

    assert mark.index("^") == line.index('"b') + len("漢字")


@pytest.mark.parametrize("before", [0, 500])
@pytest.mark.parametrize("after", [0, 500])
def test_long_lines_are_cut_around_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: int, after: int
) -> None:
    """Of a long line, the part with the place is shown."""
    member = f'/* {"x" * before} */ "buildTimeoutInMinutes": 3'
    document = json.dumps(resource(buildTimeoutInMinutes=3)).replace('"buildTimeoutInMinutes": 3', member)
    write(tmp_path / "a.json", document.replace('"identity"', f'/* {"y" * after} */ "identity"'))
    _, line, mark, *_ = call(capsys, "check", "a.json").stdout.splitlines()

    assert line[mark.index("^") : mark.rindex("~") + 1] == '"buildTimeoutInMinutes": 3'
    assert len(line) <= WIDTH + len("  1 | ")
    assert "..." in line
    assert "...." not in line


def test_a_long_value_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that is longer than the room for it ends with dots, and so does its mark."""
    _, line, mark, *_ = text_of(capsys, tmp_path, f"  unknown: {'x' * 500}\n")

    assert line.endswith("xxx...")
    assert not line.endswith("....")
    assert len(line) == len(mark) == WIDTH + len("  6 | ")


def test_nothing_in_a_file_is_a_command_for_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of a document, and of a file's name, are not printed."""
    lines = text_of(capsys, tmp_path, '  "un\\e[31mknown": "\\u009b"\n  # \u2028\n', name="a\x1b[31m.yaml")

    assert len(lines) > 2
    assert [line for line in lines if not line.isprintable()] == []


def test_places_of_the_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that breaks off is marked where it ends."""
    write(tmp_path / "a.json", '{"type": "Microsoft.VirtualMachineImages",\n')
    lines = call(capsys, "check", "a.json").stdout.splitlines()

    assert lines[0].startswith("a.json:2:1: error: ")
    assert lines[1:3] == ["  2 | ", "    | ^"]


@pytest.mark.parametrize(
    ("environment", "is_terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_when_there_is_colour(environment: dict[str, str], is_terminal: bool, coloured: bool) -> None:
    """A terminal has colours, unless the environment says otherwise."""
    assert wants_colour(environment, is_terminal=is_terminal) is coloured


def test_colour(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours change nothing but the looks."""
    plain = text_of(capsys, tmp_path, "  buildTimeoutInMinutes: 3\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = "\n".join(text_of(capsys, tmp_path, "  buildTimeoutInMinutes: 3\n"))

    assert "\x1b[1;31merror:\x1b[0m" in coloured
    for style in ("\x1b[1;31m", "\x1b[1m", "\x1b[32m", "\x1b[0m"):
        coloured = coloured.replace(style, "")
    assert coloured.splitlines() == plain
