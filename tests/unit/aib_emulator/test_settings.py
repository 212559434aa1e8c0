from __future__ import annotations

import pytest

from aib_emulator.settings import EmulatorSettings, EmulatorSettingsError


@pytest.mark.parametrize(
    "wrong", [{"time_scale": 0}, {"time_scale": float("inf")}, {"vhd_size_bytes": 1000}, {"vhd_size_bytes": 0}]
)
def test_numbers_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    """A clock that stands still from the start, or flies, or half a sector, is refused."""
    with pytest.raises(EmulatorSettingsError):
        EmulatorSettings(**wrong)  # type: ignore[arg-type] # wrong on purpose


def test_the_secret_is_not_shown() -> None:
    """The text of the settings does not hold the secret."""
    settings = EmulatorSettings()
    assert settings.client_secret not in repr(settings)
