from __future__ import annotations

import pytest

from aib_emulator.__main__ import _parser, _settings
from aib_emulator.settings import EmulatorSettings, EmulatorSettingsError

EVERYWHERE = "0.0.0.0"  # noqa: S104 - to see that nobody can ask for it


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_scale": 0},
        {"time_scale": float("inf")},
        {"vhd_size_bytes": 1000},
        {"vhd_size_bytes": 0},
        {"trigger_failure_limit": 0},
        {"triggers_in_a_region": 0},
        {"list_page_size": 0},
        {"missing_rights_fail": "never"},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    """A clock that stands still from the start, or flies, half a sector, or a word that means nothing is refused."""
    with pytest.raises(EmulatorSettingsError):
        EmulatorSettings(**wrong)  # type: ignore[arg-type] # wrong on purpose


def test_options_reach_the_settings() -> None:
    """What the command line says about rights, triggers and lists is what the emulator is told."""
    options = ["--missing-rights-fail", "run", "--trigger-failure-limit", "5", "--list-page-size", "2"]
    told = _settings(_parser().parse_args(options))
    assert (told.missing_rights_fail, told.trigger_failure_limit, told.list_page_size) == ("run", 5, 2)


def test_the_secret_is_not_shown() -> None:
    """The text of the settings does not hold the secret."""
    settings = EmulatorSettings()
    assert settings.client_secret not in repr(settings)


@pytest.mark.parametrize("option", ["--host", "--bind", "--address"])
def test_nobody_can_ask_for_another_address(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no option to listen on anything but loopback, and no setting either."""
    with pytest.raises(SystemExit):
        _parser().parse_args([f"{option}={EVERYWHERE}"])
    assert option in capsys.readouterr().err
    with pytest.raises(TypeError, match=option.strip("-")):
        EmulatorSettings(**{option.strip("-"): EVERYWHERE})  # type: ignore[arg-type] # wrong on purpose
