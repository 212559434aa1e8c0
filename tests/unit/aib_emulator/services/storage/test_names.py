from __future__ import annotations

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.storage.resources import check_account_name, check_container_name


@pytest.mark.parametrize("name", ["abc", "a" * 24, "imagestore1"])
def test_possible_account_names_pass(name: str) -> None:
    """Three to 24 lower-case letters and digits are a name."""
    check_account_name(name)


@pytest.mark.parametrize("name", ["ab", "a" * 25, "Image", "image-store", ""])
def test_impossible_account_names_are_refused(name: str) -> None:
    """Anything else is not."""
    with pytest.raises(ArmError, match="AccountNameInvalid"):
        check_account_name(name)


@pytest.mark.parametrize("name", ["vhds", "a-b-c", "$root"])
def test_possible_container_names_pass(name: str) -> None:
    """Lower-case letters, digits and single hyphens inside are a name."""
    check_container_name(name)


@pytest.mark.parametrize("name", ["ab", "A-b", "a--b", "-ab", "ab-"])
def test_impossible_container_names_are_refused(name: str) -> None:
    """Anything else is not."""
    with pytest.raises(ArmError):
        check_container_name(name)
