from __future__ import annotations

import re
from pathlib import Path

import pytest

import aib_emulator
from aib_emulator.__main__ import _parser, _settings
from aib_emulator.choices import CHOICES, ChoiceError, Choices
from aib_emulator.settings import EmulatorSettings, EmulatorSettingsError

PACKAGE = Path(aib_emulator.__file__).parent


def test_the_first_value_is_the_usual_one() -> None:
    """Who chooses nothing gets the first value of each choice."""
    assert Choices().all() == {name: choice.values[0] for name, choice in CHOICES.items()}


def test_each_choice_is_asked_for() -> None:
    """The code asks for no choice that there is not, and for each that there is."""
    files = [file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "choices.py"]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert set(re.findall(r'choices\["([^"]+)"\]', text)) <= CHOICES.keys()
    assert [name for name in CHOICES if f'"{name}"' not in text] == []


def test_a_choice_holds_until_the_next_reset() -> None:
    """What is changed later is forgotten, what was chosen at the start is not."""
    choices = Choices({"second-run": "joined"})
    choices.change({"idle-cancel": "accepted"})
    assert (choices["second-run"], choices["idle-cancel"]) == ("joined", "accepted")
    choices.clear()
    assert (choices["second-run"], choices["idle-cancel"]) == ("joined", "refused")


@pytest.mark.parametrize(
    ("wrong", "says"), [({"second-walk": "joined"}, "second-run"), ({"second-run": "granted"}, "refused, joined")]
)
def test_what_cannot_be_chosen_is_refused(wrong: dict[str, str], says: str) -> None:
    """The message lists what there is."""
    with pytest.raises(ChoiceError, match=says):
        Choices().change(wrong)
    with pytest.raises(EmulatorSettingsError, match=says):
        EmulatorSettings(choices=wrong)


def test_choices_are_made_on_the_command_line() -> None:
    """The option may be given several times; what is no pair is refused."""
    options = ["--choice", "second-run=joined", "--choice", "conflict-status=400"]
    assert _settings(_parser().parse_args(options)).choices == {"second-run": "joined", "conflict-status": "400"}
    with pytest.raises(ChoiceError, match="NAME=VALUE"):
        _settings(_parser().parse_args(["--choice", "second-run"]))
