from __future__ import annotations

import gzip
import json
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from airflow_aib.cli.diagnose import PIECE_BYTES
from tests.unit.airflow_aib.cli.calling import call, resource, write
from tests.unit.airflow_aib.cli.web_server import served
from tests.unit.airflow_aib.image_run.sample_logs import LOGS

if TYPE_CHECKING:
    from pathlib import Path

FAILED, GOOD = LOGS / "new-form-linux-failed.log", LOGS / "old-form-linux-succeeded.log"
HEAD = "The build failed: customizer-failed, in customizer 2 (Shell), exit code 22"


def test_a_log_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """A file is enough to say which customizer failed, with which exit code, and why."""
    outcome = call(capsys, "diagnose", FAILED)

    assert (outcome.code, outcome.stderr) == (1, "")
    assert outcome.stdout.splitlines()[:3] == [
        HEAD,
        "Errors in the log:",
        "  curl: (22) The requested URL returned error: 404",
    ]


@pytest.mark.parametrize("parts", [1, 2])
def test_compressed(tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: int) -> None:
    """What the archive holds is read as it lies there, also where several archives were put together."""
    content = FAILED.read_bytes()
    cut = len(content) // parts
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    file = tmp_path / "customization.log.gz"
    file.write_bytes(b"".join(gzip.compress(piece) for piece in pieces))

    assert call(capsys, "diagnose", file).stdout.startswith(HEAD)


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input(capsys: pytest.CaptureFixture[str], *, packed: bool) -> None:
    """A dash reads a log from standard input, plain or compressed."""
    content = FAILED.read_bytes()

    assert call(capsys, "diagnose", "-", stdin=gzip.compress(content) if packed else content).stdout.startswith(HEAD)


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json programs get every member."""
    found = json.loads(call(capsys, "diagnose", FAILED, "--json").stdout)

    assert (found["failure_class"], found["step"], found["exit_code"]) == ("customizer-failed", "customize", 22)
    assert found["customizer"] == {"index": 1, "name": None, "type": "Shell", "count": None}
    assert found["may_retry"] is False


def test_the_document_gives_the_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the document that left the log, its customizers are called by their names."""
    steps = [{"type": "Shell", "name": name, "inline": ["true"]} for name in ("harden", "install-app")]
    document = write(tmp_path / "linux.json", resource(customize=steps))

    assert (
        "customizer 2 of 2, 'install-app' (Shell)"
        in call(capsys, "diagnose", FAILED, "--image-template", document).stdout
    )


@pytest.mark.parametrize(
    ("steps", "misfit"),
    [
        (["Shell"], "step 2 failed, and it has 1."),
        ([], "step 2 failed, and it has 0."),
        (["Shell", "File"], "its step 2 is of another type."),
    ],
)
def test_a_document_that_did_not_leave_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: list[str], misfit: str
) -> None:
    """The log is judged as if it were alone, and it is said that the document does not fit."""
    customize = [{"type": step, "name": f"step-{step}"} for step in steps]
    document = write(tmp_path / "linux.json", resource(customize=customize))

    said = call(capsys, "diagnose", FAILED, "--image-template", document).stdout

    assert said.startswith(HEAD)
    assert f"The document does not fit the log: {misfit}" in said


def test_a_failed_generalisation_is_none_of_the_customizers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the log names the service's own script, it is the step after the document's last customizer."""
    document = write(tmp_path / "linux.json", resource(customize=[{"type": "Shell", "inline": ["true"]}]))
    log = LOGS / "old-form-linux-deprovision-failed.log"

    said = call(capsys, "diagnose", log, "--image-template", document).stdout

    assert "in step deprovision" in said
    assert "does not fit" not in said


def test_a_validation_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its name, a validation log is known to be one of validators."""
    file = tmp_path / "validation.log"
    file.write_bytes(FAILED.read_bytes())

    assert call(capsys, "diagnose", file).stdout.startswith("The build failed: validator-failed, in validator 2")


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (GOOD.read_bytes(), 0, "No failure is to be seen"),
        (FAILED.read_bytes(), 1, "customizer-failed"),
        (b"Dear diary\n", 3, "Nothing of this log is recognised"),
        (b"", 3, "Nothing of this log is recognised"),
    ],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], content: bytes, code: int, words: str) -> None:
    """Scripts can tell a good build, a known failure and an unknown one apart."""
    outcome = call(capsys, "diagnose", "-", stdin=content)

    assert outcome.code == code
    assert words in outcome.stdout


def test_an_unknown_log_shows_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not recognised is shown, so that a person can judge."""
    assert "  nothing was built" in call(capsys, "diagnose", "-", stdin=b"Dear diary\nnothing was built\n").stdout


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nowhere.log", "There is no file nowhere.log. Name an image template by its resource id"),
        (".", ". is a folder; name one log."),
        ("http://store.example/customization.log?sig=abc", "http://store.example/customization.log?... is no https"),
    ],
)
def test_what_cannot_be_read(capsys: pytest.CaptureFixture[str], target: str, words: str) -> None:
    """A call that names no log ends with 2, and says what to do."""
    outcome = call(capsys, "diagnose", target)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert words in outcome.stderr


def test_broken_compression(capsys: pytest.CaptureFixture[str]) -> None:
    """What begins as gzip and goes on otherwise is refused; a log that is merely cut off is read as far as it goes."""
    packed = gzip.compress(FAILED.read_bytes() * 50)

    assert call(capsys, "diagnose", "-", stdin=packed[:12] + b"\xff" * 90).code == 2
    assert call(capsys, "diagnose", "-", stdin=packed[:-20]).stdout.startswith("The build failed: customizer-failed")


def test_secrets_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """No signature that a script has printed is shown."""
    log = FAILED.read_text().replace("curl: (22)", "curl: https://s.example/a?sig=VerySecret%3D (22)")
    shown = [call(capsys, "diagnose", "-", *options, stdin=log.encode()).stdout for options in ([], ["--json"])]

    assert all("sig=***" in text and "VerySecret" not in text for text in shown)


def test_a_signed_address(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An address with a signature is read without any sign-in, and the signature is never shown."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with served({"/packerlogs/f/customization.log.gz": gzip.compress(FAILED.read_bytes())}, tls) as address:
        found = call(capsys, "diagnose", f"{address}/packerlogs/f/customization.log.gz?sv=1&sig=VerySecret")
        missing = call(capsys, "diagnose", f"{address}/packerlogs/f/other.log?sv=1&sig=VerySecret")

    assert found.stdout.startswith(HEAD)
    assert missing.code == 2
    assert "cannot be downloaded: 404" in missing.stderr
    assert "VerySecret" not in missing.stderr


def test_a_log_longer_than_memory_should_be(capsys: pytest.CaptureFixture[str]) -> None:
    """Pieces are read one after the other: the first error is found however far from the end it is."""
    log = FAILED.read_text()
    line = "[5be4c1f0-9a41-4d0c-b2a5-8e1f3f4cb6d3] PACKER 2025/03/18 20:42:49 ui:     azure-arm: noise\n"
    long = log.replace(
        "[5be4c1f0-9a41-4d0c-b2a5-8e1f3f4cb6d3] PACKER ==> azure-arm: Del", line * 30_000 + "PACKER ==> azure-arm: Del"
    )

    assert len(long) > 2 * PIECE_BYTES
    assert (
        "  curl: (22) The requested URL returned error: 404"
        in call(capsys, "diagnose", "-", stdin=long.encode()).stdout
    )
