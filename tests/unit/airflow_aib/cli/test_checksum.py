from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airflow_aib.cli.calling import call, deployment, resource, write
from tests.unit.airflow_aib.cli.web_server import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.airflow_aib.cli.calling import Outcome

SUM = hashlib.sha256(b"true\n").hexdigest()
WRONG = "0" * 64


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return a folder with one script."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "a.sh").write_bytes(b"true\n")
    return folder


def customizer(**more: Any) -> dict[str, Any]:
    """Build a customizer with a script."""
    return {"type": "Shell", "scriptUri": "https://scripts.example/a.sh?sig=very-secret", **more}


def computed(capsys: pytest.CaptureFixture[str], file: Path, scripts: Path, *options: str) -> Outcome:
    """Call the command with the script's folder."""
    return call(capsys, "checksum", file, "--from", f"https://scripts.example/={scripts}", *options)


def test_what_is_shown(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step is one line: what is there now, where, and how the document's checksum stands to it."""
    steps = [customizer(), customizer(sha256Checksum=SUM.upper()), customizer(sha256Checksum=WRONG)]
    outcome = computed(capsys, write(tmp_path / "a.json", resource(customize=steps)), scripts)
    lines = outcome.stdout.splitlines()

    assert outcome.code == 0
    assert [line.rpartition(" ")[2] for line in lines] == ["(missing)", "(right)", "(wrong)"]
    assert all(line.startswith(f"{SUM}  {tmp_path / 'a.json'}:") for line in lines)
    assert "very-secret" not in outcome.stdout


@pytest.mark.parametrize(("checksum", "code"), [({}, 0), ({"sha256Checksum": SUM}, 0), ({"sha256Checksum": WRONG}, 1)])
def test_in_ci(
    tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str], checksum: dict[str, str], code: int
) -> None:
    """--verify fails where a checksum is wrong, and not where there is none."""
    file = write(tmp_path / "a.json", resource(customize=[customizer(**checksum)]))

    assert computed(capsys, file, scripts, "--verify").code == code


def test_writing(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--write adds what is missing and corrects what is wrong, once."""
    steps = [customizer(), customizer(sha256Checksum=WRONG)]
    file = write(tmp_path / "a.json", resource(customize=steps))

    outcome = computed(capsys, file, scripts, "--write")
    assert outcome.code == 0
    assert outcome.stdout.count(" (written)\n") == 2
    written = json.loads(file.read_text())["properties"]["customize"]
    assert [step["sha256Checksum"] for step in written] == [SUM, SUM]
    again = computed(capsys, file, scripts, "--write").stdout
    assert "written" not in again
    assert again.count(" (right)\n") == 2


def test_all_or_nothing_is_written(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one checksum is not to be had the file stays, which is said, and its address is named once."""
    steps = [customizer(), customizer(scriptUri="ftp://scripts.example/b.sh")]
    file = write(tmp_path / "a.json", resource(customize=steps))
    before = file.read_text()
    outcome = computed(capsys, file, scripts, "--write")

    assert (outcome.code, file.read_text()) == (1, before)
    assert f"{file} is unchanged, since 1 checksum could not be had." in outcome.stderr
    assert outcome.stderr.count("ftp://scripts.example/b.sh") == 1


def test_nothing_to_compute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without addresses is said to be one."""
    file = write(tmp_path / "a.json", resource())
    outcome = call(capsys, "checksum", file)

    assert (outcome.code, outcome.stdout) == (0, "")
    assert f"{file} downloads nothing." in outcome.stderr


def test_addresses_that_need_values(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An expression takes its values from the call; without them the step is named, and nothing is written."""
    address = "[concat(parameters('base'), '/a.sh')]"
    content = deployment(resource(customize=[customizer(scriptUri=address)]), base={"type": "string"})
    file = write(tmp_path / "a.json", content)
    before = file.read_text()
    outcome = computed(capsys, file, scripts, "--write")

    assert (outcome.code, file.read_text()) == (1, before)
    assert "<base>/a.sh: a value is missing; pass it with --set" in outcome.stderr
    assert computed(capsys, file, scripts, "--write", "--set", "base=https://scripts.example").code == 0
    assert SUM in file.read_text()


def test_a_place_that_is_not_known(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that depends on where the image template lives needs the option that says it."""
    step = customizer(scriptUri="https://<subscriptionId>.example/a.sh")
    outcome = computed(capsys, write(tmp_path / "a.json", resource(customize=[step])), scripts)

    assert outcome.code == 1
    assert "a value is missing" in outcome.stderr


def test_a_checksum_that_is_an_expression(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is compared, and never written over."""
    content = deployment(resource(customize=[customizer(sha256Checksum="[parameters('sum')]")]), sum={"type": "string"})
    file = write(tmp_path / "a.json", content)
    before = file.read_text()

    assert computed(capsys, file, scripts, "--verify", "--set", f"sum={SUM}").code == 0
    outcome = computed(capsys, file, scripts, "--write", "--set", f"sum={WRONG}")
    assert (outcome.code, file.read_text()) == (1, before)
    assert "is an expression, and stays as it is" in outcome.stderr


def test_a_secure_value_in_an_address(tmp_path: Path, scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The value of a secure parameter is not shown, wherever it stands in an address."""
    address = "[concat('https://scripts.example/', parameters('token'), '/a.sh')]"
    content = deployment(resource(customize=[customizer(scriptUri=address)]), token={"type": "secureString"})
    outcome = computed(capsys, write(tmp_path / "a.json", content), scripts, "--set", "token=hunter22")

    assert outcome.code == 1
    assert "hunter22" not in outcome.stdout + outcome.stderr


def test_a_download(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not on this machine is downloaded; http only when allowed."""
    with served({"/a.sh": b"true\n"}) as address:
        step = customizer(scriptUri=f"{address}/a.sh")
        file = write(tmp_path / "a.json", resource(customize=[step]))
        assert "--allow-http" in call(capsys, "checksum", file).stderr
        assert call(capsys, "checksum", file, "--allow-http").stdout.startswith(SUM)


@pytest.mark.parametrize(
    "options",
    [
        ("--write", "--verify"),
        ("--from", "https://a"),
        ("--from", "https://a=/no/such/file"),
        ("--max-megabytes", "0"),
        ("--timeout", "-1"),
    ],
)
def test_unusable_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    """A wrong option ends with 2."""
    assert call(capsys, "checksum", write(tmp_path / "a.json", resource()), *options).code == 2


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken file fails with its place; standard input cannot be written to."""
    assert "line 1" in call(capsys, "checksum", write(tmp_path / "a.json", "{")).stderr
    assert call(capsys, "checksum", "-", "--write", stdin=json.dumps(resource()).encode()).code == 2
