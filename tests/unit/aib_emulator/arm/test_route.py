from __future__ import annotations

import pytest

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.route import GROUP, Route, Router, normalise_path


async def answer(_: Call) -> Answer:
    """Answer anything."""
    return Answer(200)


ROUTER = Router([Route("GET", f"{GROUP}/providers/Microsoft.Compute/images/{{image_name}}", answer)])
PATH = "/subscriptions/S/resourceGroups/Rg/providers/Microsoft.Compute/images/Img"


@pytest.mark.parametrize("path", [PATH, PATH.lower(), PATH.replace("resourceGroups", "resourcegroups"), PATH + "/"])
def test_paths_match_in_any_casing(path: str) -> None:
    """A path is found however its fixed words are cased, with or without a final slash."""
    _, parameters = ROUTER.find("GET", path)
    assert parameters["image_name"] == path.rstrip("/").rpartition("/")[2]


def test_two_slashes_count_as_one() -> None:
    """`az resource` writes two slashes before a type."""
    assert normalise_path(PATH.replace("/images", "//images")) == PATH


def test_another_method_is_not_allowed() -> None:
    """A path that is served under another method answers 405."""
    with pytest.raises(ArmError) as refused:
        ROUTER.find("POST", PATH)
    assert refused.value.status == 405


def test_an_unknown_path_is_not_found() -> None:
    """A path that nobody serves answers 404."""
    with pytest.raises(ArmError) as refused:
        ROUTER.find("GET", "/subscriptions/S/resourceGroups/Rg/providers/Microsoft.Compute/disks/d")
    assert refused.value.status == 404


def test_a_named_part_is_one_segment() -> None:
    """A name never swallows a slash."""
    with pytest.raises(ArmError):
        ROUTER.find("GET", PATH + "/more")
