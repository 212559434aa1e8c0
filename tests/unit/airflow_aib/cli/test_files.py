from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.airflow_aib.cli.calling import call, resource, write

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
