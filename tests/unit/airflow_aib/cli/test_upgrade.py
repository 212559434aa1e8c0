from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.airflow_aib.cli.calling import call, deployment, resource, write
from tests.unit.airflow_aib.image_template.sample_documents import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

OLD = """{
  "type": "Microsoft.VirtualMachineImages",
  // a comment
  "properties": {"buildTimeoutInMinutes": "90"}
}
"""
NEW = OLD.replace("Images", "Images/imageTemplates").replace('"90"', "90")


def test_what_would_be_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --write the difference is shown, the reasons beside it, and the file stays."""
    file = write(tmp_path / "a.json", OLD)
    outcome = call(capsys, "upgrade", file)

    assert outcome.code == 0
    assert outcome.stdout.split("\n")[:3] == [f"--- {file}", f"+++ {file}", "@@ -1,5 +1,5 @@"]
    assert '-  "properties": {"buildTimeoutInMinutes": "90"}\n+  "properties"' in outcome.stdout
    assert f"{file}: /properties/buildTimeoutInMinutes: text becomes the integer 90" in outcome.stderr
    assert file.read_text() == OLD


def test_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --write files are written anew, once."""
    file = write(tmp_path / "a.json", OLD)

    assert call(capsys, "upgrade", "--write", tmp_path).code == 0
    assert file.read_text() == NEW
    again = call(capsys, "upgrade", "--write", tmp_path)
    assert again.stdout == ""
    assert f"{file} is up to date." in again.stderr


@pytest.mark.parametrize(("text", "code"), [(OLD, 1), (NEW, 0)])
def test_in_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int) -> None:
    """--check fails where something is outdated."""
    assert call(capsys, "upgrade", "--check", write(tmp_path / "a.json", text)).code == code


@pytest.mark.parametrize("wrap", [lambda resource: resource, deployment])
def test_a_misspelt_member_is_not_taken_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrap: Callable[..., dict[str, Any]]
) -> None:
    """What an old api-version ignored since it is misspelt was meant: the file stays, and a person decides."""
    old = resource(source={"type": "PlatformImage", "verison": "latest"}) | {"apiVersion": "2020-02-14"}
    file = write(tmp_path / "a.json", json.dumps(wrap(old)))
    outcome = call(capsys, "upgrade", "--write", file)

    assert outcome.code == 1
    assert f"{file} cannot be upgraded" in outcome.stderr
    assert "Is 'version' meant? Correct it, or take it out." in outcome.stderr
    assert json.loads(file.read_text()) == wrap(old)


def test_a_refused_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be upgraded stays as it is and fails; the others are written all the same."""
    retired = json.dumps(resource(source={"type": "ISO"}))
    iso, old = write(tmp_path / "a.json", retired), write(tmp_path / "b.json", OLD)
    broken = write(tmp_path / "c.json", "{")
    outcome = call(capsys, "upgrade", "--write", iso, old, broken)

    assert outcome.code == 1
    assert "31 March 2020" in outcome.stderr
    assert "c.json, line 1" in outcome.stderr
    assert (iso.read_text(), old.read_text()) == (retired, NEW)


def test_target_regions(capsys: pytest.CaptureFixture[str]) -> None:
    """The newer form of regions is written on demand."""
    outcome = call(capsys, "upgrade", "--target-regions", SAMPLES / "old-regions.yaml")

    assert "+    targetRegions:" in outcome.stdout


def test_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard input is compared, and cannot be written to."""
    assert "+" in call(capsys, "upgrade", "-", "--stdin-filename", "a.json", stdin=OLD.encode()).stdout
    assert call(capsys, "upgrade", "--write", "-", stdin=OLD.encode()).code == 2


def test_options_that_exclude_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A call either looks or writes."""
    assert call(capsys, "upgrade", "--write", "--check", write(tmp_path / "a.json", OLD)).code == 2


def test_no_secret_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither signatures nor defaults of secure parameters stand in the difference."""
    signed = "https://a.blob.core.windows.net/a.sh?sig=very-secret"
    content = deployment(
        resource(customize=[{"type": "shell", "scriptUri": signed}]),
        token={"type": "secureString", "defaultValue": "hunter22"},
    )
    lines = write(tmp_path / "a.json", json.dumps(content))
    outcome = call(capsys, "upgrade", lines)

    assert '-{"parameters"' in outcome.stdout
    assert "very-secret" not in outcome.stdout + outcome.stderr
    assert "hunter22" not in outcome.stdout + outcome.stderr


def test_what_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no room for a file beside, as in a path of the greatest length, it is said, and the file stays."""
    folder = tmp_path
    while len(str(folder)) < 3880:
        folder /= "x" * 200
    folder /= "x" * (4082 - len(str(folder)))
    file = write(folder / "a.json", OLD)
    outcome = call(capsys, "upgrade", "--write", file)

    assert outcome.code == 1
    assert "a.json cannot be written: File name too long. It stays as it was." in outcome.stderr
    assert file.read_text() == OLD


def test_no_piece_of_a_key_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where what is shown begins amid a private key, its rest is masked all the same."""
    key = ["-----BEGIN PRIVATE KEY-----", *(f"{letter}" * 30 for letter in "ABCDEFGH"), "-----END PRIVATE KEY-----"]
    file = write(tmp_path / "a.json", resource(customize=[{"type": "Shell", "inline": key, "Name": "x"}]))
    outcome = call(capsys, "upgrade", file)

    assert '+        "name": "x"' in outcome.stdout
    assert "-----END" in outcome.stdout
    assert "HHHH" not in outcome.stdout
