from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airflow_aib.cli.arguments import FORMATS
from tests.unit.airflow_aib.cli.calling import call, deployment, resource, write

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter22-and-more"
SIGNED = "ftp://store.example/a.sh?sv=1&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D"
SIGNATURE = "c2VjcmV0LXNpZ25hdHVyZQ"
TOKEN: dict[str, Any] = {"type": "secureString"}
PLACE = ("--subscription-id", "s", "--resource-group", "g", "--location", "eastus")
ERROR = {"buildTimeoutInMinutes": 3}
SHELL = {"type": "Shell", "name": "one"}


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("indent", [None, 2])
def test_no_default_of_a_secure_parameter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, indent: int | None
) -> None:
    """The default value of a secure parameter is shown in no format, even where it stands beside what is wrong."""
    step = SHELL | {"inline": [f"login {SECRET}"], "scriptUri": SECRET, SECRET: 1}
    written = deployment(resource(customize=[step], **ERROR), token={**TOKEN, "defaultValue": SECRET})
    file = write(tmp_path / "a.json", json.dumps(written, indent=indent))
    outcome = call(capsys, "check", file, "--format", output)

    assert "timeout-too-short" in outcome.stdout
    assert SECRET not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("output", FORMATS)
def test_no_value_of_a_secure_parameter(tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    """Nor is the value that a call passes, rendered into what is wrong or not."""
    used = resource(source="[parameters('token')]", customize=[SHELL | {"scriptUri": "[parameters('token')]"}])
    file = write(tmp_path / "a.json", deployment(used, token=TOKEN))
    outcome = call(capsys, "check", file, "--set", f"token={SECRET}", "--format", output)

    assert "member-type" in outcome.stdout
    assert SECRET not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("output", FORMATS)
def test_no_secret_of_a_document_that_cannot_be_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    """Nor where rendering ends with an error."""
    broken = resource(source=f"[concat('{SECRET}', nowhere())]")
    file = write(tmp_path / "a.json", deployment(broken, token={**TOKEN, "defaultValue": SECRET}))
    outcome = call(capsys, "check", file, "--format", output)

    assert "document-unrenderable" in outcome.stdout
    assert SECRET not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("command", ["check", "render", "upgrade", "fingerprint", "checksum"])
def test_no_secret_of_a_document_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Nor where the file is broken on the very line of the secret."""
    text = json.dumps(deployment(resource(), token={**TOKEN, "defaultValue": SECRET}))
    file = write(tmp_path / "a.json", text.replace(f'"{SECRET}"', f'"{SECRET}" oops'))
    outcome = call(capsys, command, file)

    assert (outcome.code, "line 1" in outcome.stderr or "document-unreadable" in outcome.stdout) == (1, True)
    assert SECRET not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("wrong", [f'{{"token": "{SECRET}" oops', f"token: [{SECRET}\n", f"token: !!int {SECRET}\n"])
def test_no_secret_of_a_parameters_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    """A broken parameters file is named with the place, and nothing of it is shown."""
    values = write(tmp_path / ("p.json" if wrong.startswith("{") else "p.yaml"), wrong)
    outcome = call(capsys, "check", write(tmp_path / "a.json", resource()), "--parameters", values)

    assert outcome.code == 2
    assert str(values) in outcome.stderr
    assert SECRET not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("line", [f'"a": "{SIGNED}",, ', f'"vmProfile": "[concat(nowhere(), \'{SIGNED}\')]",'])
def test_no_error_quotes_a_signature(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Neither a broken line nor an expression that cannot be evaluated shows a signature."""
    text = json.dumps(deployment(resource()))
    file = write(tmp_path / "a.json", text.replace('"properties": {', '"properties": {' + line))
    outcome = call(capsys, "render", file)

    assert outcome.code == 1
    assert "sig=***" in outcome.stderr


@pytest.mark.parametrize("output", FORMATS)
def test_no_signature_of_an_address(tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    """The signature in an address is shown in no format."""
    file = write(tmp_path / "a.json", resource(customize=[SHELL | {"scriptUri": SIGNED}]))
    outcome = call(capsys, "check", file, "--format", output)

    assert "address-form" in outcome.stdout
    assert SIGNATURE not in outcome.stdout + outcome.stderr


def test_the_key_is_shown_instead_of_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a line may hold a secret, its key says where to look."""
    file = write(tmp_path / "a.json", resource(customize=[SHELL | {"scriptUri": SIGNED}]))
    lines = call(capsys, "check", file).stdout.splitlines()

    assert [line.partition("|")[2] for line in lines[1:3]] == [' "scriptUri": ***', " ^~~~~~~~~~~"]


def test_render_masks_the_values_of_secure_parameters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The body shows `***` for them, as they are or in base64, and a remark says how to see them."""
    inline = ["[concat('login ', parameters('token'))]", "[parameters('list')[1]]"]
    written = resource(customize=[SHELL | {"inline": inline}]) | {"tags": {"[parameters('token')]": "a"}}
    file = write(tmp_path / "a.json", deployment(written, token=TOKEN, list={"type": "secureObject"}))
    values = ("--set", f"token={SECRET}", "--set", 'list={"a": 1234567}')
    inline[1] = "[string(parameters('list').a)]"
    write(file, deployment(written | {}, token=TOKEN, list={"type": "secureObject"}))
    quiet = call(capsys, "render", file, *PLACE, *values)
    loud = call(capsys, "render", file, *PLACE, *values, "--show-secrets")

    assert quiet.code == loud.code == 0
    assert json.loads(quiet.stdout)["properties"]["customize"][0]["inline"] == ["login ***", "***"]
    assert json.loads(quiet.stdout)["tags"] == {"***": "a"}
    assert "--show-secrets" in quiet.stderr
    assert json.loads(loud.stdout)["properties"]["customize"][0]["inline"] == [f"login {SECRET}", "1234567"]
    assert loud.stderr == ""


def test_render_says_nothing_secret_of_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of rendering does not quote the value that it is about."""
    file = write(tmp_path / "a.json", deployment(resource(), token={**TOKEN, "maxLength": 3}))
    outcome = call(capsys, "render", file, "--set", f"token={SECRET}")

    assert outcome.code == 1
    assert "maxLength" in outcome.stderr
    assert SECRET not in outcome.stderr


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("options", [[], ["--disable", "secret-in-text=a test", "--disable", "secret-likely=a test"]])
def test_no_secret_that_a_rule_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, options: list[str]
) -> None:
    """What looks like a secret is not shown where it is found, nor where something else is wrong on its line."""
    inline = [f"git clone https://ghp_{'a1B2' * 9}@github.com/x/y", f"mysql --password={SECRET}"]
    written = resource(customize=[SHELL | {"inline": inline, "scriptUri": "ftp://x.example/a"}], **ERROR)
    file = write(tmp_path / "a.json", json.dumps(written))
    outcome = call(capsys, "check", file, "--show-switched-off", "--format", output, *options)

    assert all(rule in outcome.stdout for rule in ("secret-in-text", "secret-likely", "timeout-too-short"))
    assert SECRET not in outcome.stdout + outcome.stderr
    assert "a1B2" not in outcome.stdout + outcome.stderr


COMMANDS = [
    ["check"],
    ["render", *PLACE],
    ["render", "--written", *PLACE],
    ["upgrade"],
    ["upgrade", "--check"],
    ["fingerprint", *PLACE],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("ending", ["json", "yaml"])
@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("export DB_PASSWORD=Sup3rS3cret99", "Sup3rS3cret99"),
        ('export DB_PASSWORD="Sup3rS3cret99/x"; make', "Sup3rS3cret99/x"),
        ("export DB_PASSWORD='Sup3rS3cret99/x'; make", "Sup3rS3cret99/x"),
        ("curl -u me:Passw0rdXyz https://files.example/a", "Passw0rdXyz"),
        ('curl -u "me:Passw0rdXyz" --proxy-user "me:Other0rdXyz" https://files.example/a', "0rdXyz"),
        ('docker login -u me --password "Passw0rdXyz" registry.example', "Passw0rdXyz"),
        ("curl https://files.example/a?sv=1&sig=abc%3D", "abc%3D"),
    ],
)
def test_no_secret_of_a_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], ending: str, line: str, secret: str
) -> None:
    """No command shows what its form tells to be a secret, however the file quotes it."""
    written = resource(customize=[SHELL | {"type": "shell", "inline": ["echo", line]}])
    file = tmp_path / f"a.{ending}"
    write(file, written if ending == "json" else yaml.safe_dump(written, width=1000))
    outcome = call(capsys, *command[:1], file, *command[1:])

    assert outcome.stdout
    assert secret not in outcome.stdout + outcome.stderr


def test_render_masks_what_looks_like_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The body keeps its form and its variables, lines of a key and passwords are `***`; --show-secrets has all."""
    key = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0\nQUJDREVG", "UUFBQUFB", "-----END PRIVATE KEY-----"]
    inline = ["export A_PASSWORD=$SECRET_12 B_PASSWORD=Sup3rS3cret99", *key, "tool --token", "Sup3rS3cret99"]
    step = SHELL | {"inline": inline}
    signed = {"type": "Shell", "name": "two", "scriptUri": "https://a.example/b.sh?sv=1&sig=abc&se=2"}
    file = write(tmp_path / "a.json", resource(customize=[step, signed]))
    quiet = call(capsys, "render", file, *PLACE)
    loud = call(capsys, "render", file, *PLACE, "--show-secrets")
    first, second = json.loads(quiet.stdout)["properties"]["customize"]

    assert first["inline"] == [
        "export A_PASSWORD=$SECRET_12 B_PASSWORD=***",
        key[0],
        "***\n***",
        "***",
        key[3],
        "tool --token",
        "***",
    ]
    assert second["scriptUri"] == "https://a.example/b.sh?sv=1&sig=***&se=2"
    assert "--show-secrets" in quiet.stderr
    assert json.loads(loud.stdout)["properties"]["customize"] == [step, signed]
    assert loud.stderr == ""


def test_upgrade_writes_what_it_does_not_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that is written holds its secrets still, and no mask."""
    lines = ["export DB_PASSWORD=Sup3rS3cret99; curl https://files.example/a?sig=abc"]
    file = write(tmp_path / "a.json", resource(customize=[SHELL | {"type": "shell", "inline": lines}]))
    shown = call(capsys, "upgrade", file)
    assert call(capsys, "upgrade", "--write", file).code == 0

    assert ("DB_PASSWORD=***" in shown.stdout, "sig=***" in shown.stdout) == (True, True)
    assert json.loads(file.read_text())["properties"]["customize"] == [SHELL | {"inline": lines}]
