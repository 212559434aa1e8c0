from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aib_emulator.__main__ import _parser
from aib_emulator.choices import CHOICES
from aib_emulator.failures import KINDS
from aib_emulator.faults import ACTIONS
from aib_emulator.services.authorization.builtin_roles import BUILTIN_ROLES
from tests.architecture.airflow_options import known_options, options_of
from tests.architecture.call_tables import EMULATOR, call_pages

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

DOCKER = Path(__file__).parents[2] / "docker"
PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_the_pages_list_exactly_the_calls_that_are_served(emulator_thread: EmulatorThread) -> None:
    """The tables of calls are those that `make fix` writes, each call in its table."""
    for page, text in call_pages(emulator_thread.emulator.served_routes).items():
        assert page.read_text(encoding="utf-8") == text, f"run `make fix`: {page.name} lists other calls"


def test_a_table_of_calls_follows_the_routes(emulator_thread: EmulatorThread) -> None:
    """A call that is served no more goes, a new one comes last, and what stands beside the others stays."""
    served = emulator_thread.emulator.served_routes
    gone = next(route for route in served if route.path.endswith("/cancel") and "imageTemplates" in route.path)
    routes = [*(route for route in served if route is not gone), replace(gone, path=f"{gone.path}All")]
    changed = set(call_pages(routes)[EMULATOR].splitlines()) ^ set(PAGE.splitlines())
    last_words = {line.partition("` |")[0].rpartition("/")[2] for line in changed}
    assert (last_words, len(changed)) == ({"cancel", "cancelAll"}, 2)


CHAPTERS = (
    "From one start to the next",
    "What is there at the start",
    "Calls",
    "A run",
    "Who may do what",
    "What can go wrong on demand",
    "In a container",
    "Recorded, inferred, unknown",
)


def test_the_page_has_its_chapters() -> None:
    """What people look for stands under a heading of its own."""
    assert [chapter for chapter in CHAPTERS if f"\n## {chapter}\n" not in PAGE] == []


def test_an_airflow_of_ones_own_is_given_options_that_exist() -> None:
    """Every variable is an option of Airflow or of the provider, and tasks are sent to the port that is served."""
    section = PAGE.partition("\n### An Airflow of your own\n")[2].partition("\n### ")[0]
    variables = dict(re.findall(r"\b(AIRFLOW__\w+)=(\S+)", section))
    port = variables["AIRFLOW__API__PORT"]

    assert options_of(re.findall(r"\bAIRFLOW__\w+", section)) - known_options() == set()
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://127.0.0.1:{port}/execution/"


def test_the_chapter_about_containers_tells_what_is_in_the_recipes() -> None:
    """The command is the image's own, the network is that of the recipes, and every file that it names is there."""
    chapter = PAGE.partition("\n## In a container\n")[2].partition("\n## ")[0]
    command = re.findall(r"^CMD (.*)$", (DOCKER / "emulator" / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"`{' '.join(json.loads(command[0])[1:])}`" in chapter
    assert "network_mode: service:emulator" in chapter
    assert "network_mode: service:emulator" in (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"docker/[\w./-]*\w", chapter))
    assert {name for name in named if not (DOCKER.parent / name).exists()} == set()
    assert "docker/emulator/Dockerfile" in named


def test_the_page_names_every_option() -> None:
    """Each option of the command line is described."""
    options = {option for action in _parser()._actions for option in action.option_strings} - {"-h", "--help"}
    assert {option for option in options if f"`{option}`" not in PAGE} == set()


def test_the_page_names_every_variable(emulator_thread: EmulatorThread) -> None:
    """Each variable of the environment file is named, and each thing of the start world."""
    assert {name for name in emulator_thread.env if f"`{name}`" not in PAGE} == set()
    settings = emulator_thread.emulator.settings
    known = (settings.tenant_id, settings.subscription_id, settings.client_id, settings.client_secret)
    assert [value for value in known if f"`{value}`" not in PAGE] == []


def test_the_page_names_every_built_in_role() -> None:
    """Each role that there is from the start is named."""
    assert [role.name for role in BUILTIN_ROLES if f"`{role.name}`" not in PAGE] == []


def test_the_page_lists_exactly_the_choices() -> None:
    """The table of choices has each choice with its values, the usual one first, and what it is about."""
    rows = [
        f"| `{name}` | {', '.join(f'`{value}`' for value in choice.values)} | {choice.about} |"
        for name, choice in CHOICES.items()
    ]
    table = PAGE.partition("| choice | values | |\n| --- | --- | --- |\n")[2].partition("\n\n")[0]
    assert table.rstrip().splitlines() == rows


def test_the_page_names_every_failure() -> None:
    """Each kind of failure that can be planned is described."""
    assert [kind for kind in KINDS if f"| `{kind}` |" not in PAGE] == []


def test_the_page_names_every_action_of_a_fault() -> None:
    """What a fault can do is described."""
    assert [action for action in ACTIONS if f"| `{action}` |" not in PAGE] == []
