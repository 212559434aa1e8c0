from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airflow_aib.cli.calling import call, resource, write
from tests.unit.airflow_aib.image_template.sample_documents import body

if TYPE_CHECKING:
    from pathlib import Path

ROLE = '{"Actions": ["Microsoft.VirtualMachineImages/imageTemplates/read"], "type": "CustomRole"}'
PIPELINE = "steps:\n- script: az resource show --resource-type Microsoft.VirtualMachineImages/imageTemplates\n"


def checked(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """Return the files that a call checks: each of them is wrong."""
    outcome = call(capsys, "check", *arguments, "--format", "json")
    return [finding["file"] for finding in outcome.findings]


def wrong(file: Path) -> Path:
    """Write an image template with one error."""
    return write(file, resource(buildTimeoutInMinutes=3))


def test_folders_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Image templates below a folder are checked in order; hidden and foreign folders, and other files, are not."""
    monkeypatch.chdir(tmp_path)
    for name in ("b/z.json", "b/a.jsonc", "b/c/x.json", "a.json", "B.JSON"):
        wrong(tmp_path / name)
    for name in (".hidden/a.json", "node_modules/a.json", ".venv/a.json", "b/.a.json", "b/a.txt"):
        wrong(tmp_path / name)
    write(tmp_path / "role.json", ROLE)
    write(tmp_path / "pipeline.yml", PIPELINE)

    assert checked(capsys, ".") == ["B.JSON", "a.json", "b/a.jsonc", "b/c/x.json", "b/z.json"]


def test_each_file_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is named twice, or in a folder that is named too, is checked once."""
    monkeypatch.chdir(tmp_path)
    wrong(tmp_path / "b" / "a.json")

    assert len(checked(capsys, "b/a.json", "b", "b/../b/a.json", tmp_path)) == 1


def test_a_folder_without_image_templates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to check is good, and a remark says so."""
    write(tmp_path / "role.json", ROLE)
    outcome = call(capsys, "check", tmp_path, "--format", "json")

    assert (outcome.code, outcome.findings) == (0, [])
    assert f"There is no image template in {tmp_path}." in outcome.stderr


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (resource() | {"type": "Microsoft.VirtualMachineImage/imageTemplates"}, ("/type", 2)),
        (
            {"resources": [resource() | {"type": "Microsoft.VirtualMachineImages/imageTemplate"}]},
            ("/resources/0/type", 4),
        ),
        ({"resources": {"a": body()}}, ("/resources/a", 3)),
        (body(), ("", 1)),
    ],
)
def test_what_is_perhaps_an_image_template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: dict[str, Any], place: tuple[str, int]
) -> None:
    """A misspelt or missing type in a folder is a warning, without which the folder would pass unchecked."""
    write(tmp_path / "a.json", content)
    outcome = call(capsys, "check", tmp_path, "--format", "json")
    off = call(capsys, "check", tmp_path, "--format", "json", "--disable", "document-type=a test")

    assert [(finding["rule"], finding["path"], finding["line"]) for finding in outcome.findings] == [
        ("document-type", *place)
    ]
    assert outcome.code == 0
    assert off.findings == []


@pytest.mark.parametrize(
    "kind", ["Microsoft.VirtualMachineImages/imageTemplates/triggers", "Microsoft.Compute/virtualMachines"]
)
def test_other_resources_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """Types that are others are no misspelt ones."""
    write(tmp_path / "a.json", {"resources": [{"type": kind, "properties": {"source": {}}}]})

    assert call(capsys, "check", tmp_path, "--format", "json").findings == []


def test_a_strict_check_of_nothing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder in which nothing is found is most likely the wrong one; files that a hook names may all be others."""
    role = write(tmp_path / "role.json", ROLE)

    assert call(capsys, "check", tmp_path, "--strict").code == 1
    assert call(capsys, "check", role, "--only-image-templates", "--strict").code == 0


def test_a_named_file_counts_in_any_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is named is checked, whatever its name and content; an option lets others be skipped."""
    file = write(tmp_path / "role.txt", ROLE)

    assert call(capsys, "check", file, "--format", "json").rules == ["document-unreadable"]
    assert call(capsys, "check", file, "--format", "json", "--only-image-templates").findings == []


@pytest.mark.parametrize("command", ["check", "fingerprint", "upgrade", "checksum"])
def test_nothing_found(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Every command says that a folder holds no image template, and does not fail."""
    outcome = call(capsys, command, tmp_path)

    assert (outcome.code, f"There is no image template in {tmp_path}." in outcome.stderr) == (0, True)
