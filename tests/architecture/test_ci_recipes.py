from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from airflow_aib.cli import main
from airflow_aib.cli.parser import parser

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
PAGE = (ROOT / "docs" / "how-to" / "ci.md").read_text()
RECIPES = re.findall(r"(?ms)^```yaml\n# (\S+)\n(.*?)^```", PAGE)
COMMANDS = re.findall(r"(?m)^(?:.*(?:run|script|entry): )?(airflow-aib .*)$", PAGE)
# What pre-commit asks of an entry of a manifest, and what else it knows that we use.
REQUIRED = {"id", "name", "entry", "language"}
KNOWN = REQUIRED | {"description", "types_or", "require_serial", "minimum_pre_commit_version"}
WRONG = {"type": "Microsoft.VirtualMachineImages/imageTemplates", "properties": {"buildTimeoutInMinutes": 3}}


def test_the_manifest_has_its_form() -> None:
    """pre-commit finds in each hook what it asks for, and a command that the package installs."""
    for hook in HOOKS:
        assert set(hook) >= REQUIRED
        assert set(hook) <= KNOWN
        assert hook["language"] == "python"
        assert shlex.split(hook["entry"])[0] in PROJECT["scripts"]


@pytest.mark.parametrize(("content", "code"), [({"some": "settings"}, 0), (WRONG, 1)], ids=["other", "wrong"])
def test_the_hook_checks_image_templates_only(tmp_path: Path, content: dict[str, object], code: int) -> None:
    """The hook's entry passes over the other JSON files that pre-commit hands to it, and fails for a wrong one."""
    (hook,) = HOOKS
    program, *arguments = shlex.split(hook["entry"])
    file = tmp_path / "a.json"
    file.write_text(json.dumps(content))
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments, file], check=False, capture_output=True, text=True
    )

    assert done.returncode == code, done.stdout + done.stderr


def test_the_recipes_use_the_hook() -> None:
    """The recipe for pre-commit names a hook of the manifest; the local one calls the same command."""
    shared, local = (yaml.safe_load(text)["repos"][0]["hooks"][0] for name, text in RECIPES if "pre-commit" in name)

    assert shared["id"] == local["id"] == HOOKS[0]["id"]
    same = ("entry", "types_or", "require_serial")
    assert {key: local[key] for key in same} == {key: HOOKS[0][key] for key in same}


def test_the_hook_compares_all_files() -> None:
    """pre-commit does not split the files over several processes, which would not see each other's."""
    assert all(hook["require_serial"] is True for hook in HOOKS)


@pytest.mark.parametrize(
    ("name", "text"), RECIPES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(RECIPES)]
)
def test_every_recipe_is_yaml(name: str, text: str) -> None:
    """Each recipe can be copied into the file that it names."""
    content = yaml.safe_load(text)

    assert name.endswith((".yaml", ".yml"))
    assert {"repos", "jobs", "steps"} & set(content)


@pytest.mark.parametrize("command", [command for command in COMMANDS if "--only" not in command])
def test_every_command_can_be_called_so(command: str) -> None:
    """Each command on the page has arguments that the command line takes."""
    arguments = shlex.split(command.partition(" > ")[0])[1:]

    assert parser().parse_args(arguments).command == arguments[0]


def test_the_recipes_pin_a_commit_that_the_reader_fills_in() -> None:
    """No recipe names a tag, which may not exist where the reader installs from."""
    pins = re.findall(r"airflow-aib@(\S+)\"|rev: (\S+)", PAGE)

    assert {first or second for first, second in pins} == {"COMMIT"}


def test_the_shipped_values_are_enough_for_a_strict_check(capsys: pytest.CaptureFixture[str]) -> None:
    """The example documents pass a strict check with the parameters file beside them, every value of which is used."""
    dags = ROOT / "dags"
    code = main(["check", str(dags / "image_templates"), "--strict", "--parameters", str(dags / "parameters.json")])

    assert (code, capsys.readouterr().out) == (0, "0 errors, 0 warnings in 4 image templates, 4 files\n")


def test_the_light_installation_is_enough() -> None:
    """What the page installs beside the package is what the command line needs, and the package asks for it too."""
    (named,) = {tuple(found.split()) for found in re.findall(r"pip install (\w+ \w+)$", PAGE, re.MULTILINE)}

    assert named == ("lark", "pyyaml")
    assert {requirement.partition(">")[0] for requirement in PROJECT["dependencies"]} >= set(named)
