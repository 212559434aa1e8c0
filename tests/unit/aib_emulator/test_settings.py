from __future__ import annotations

import pytest

from aib_emulator.settings import EmulatorSettings, EmulatorSettingsError


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::", ""])  # noqa: S104 - refused, that is the point
def test_only_loopback_is_listened_on(host: str) -> None:
    """The emulator has well-known secrets and must not be reachable from elsewhere."""
    with pytest.raises(EmulatorSettingsError, match="loopback"):
        EmulatorSettings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is_accepted(host: str) -> None:
    """Every name of this machine's own loopback will do."""
    assert EmulatorSettings(host=host).host == host


@pytest.mark.parametrize("wrong", [{"time_scale": 0}, {"vhd_size_bytes": 1000}, {"vhd_size_bytes": 0}])
def test_numbers_that_cannot_work_are_refused(wrong: dict[str, int]) -> None:
    """A clock that stands still from the start, or half a sector, is refused."""
    with pytest.raises(EmulatorSettingsError):
        EmulatorSettings(**wrong)  # type: ignore[arg-type] # wrong on purpose


def test_the_secret_is_not_shown() -> None:
    """The text of the settings does not hold the secret."""
    settings = EmulatorSettings()
    assert settings.client_secret not in repr(settings)
