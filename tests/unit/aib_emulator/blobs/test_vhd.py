from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aib_emulator.blobs.vhd import MEBIBYTE, PAGE, disk_geometry, fragment_content, plan_vhd, vhd_footer

CREATED = datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(disk_pages=st.integers(1, 4096), data_pages=st.integers(0, 4096), seed=st.text(max_size=8))
def test_layout_holds_what_was_asked_for(disk_pages: int, data_pages: int, seed: str) -> None:
    """Fragments are whole pages inside the disk, in order, apart from each other, and of the wanted total."""
    data_pages = min(data_pages, disk_pages)
    layout = plan_vhd(disk_pages * PAGE, (data_pages + 1) * PAGE, seed)
    assert layout.allocated_bytes == (data_pages + 1) * PAGE
    end = 0
    for fragment in layout.fragments:
        assert fragment.offset >= end
        assert fragment.offset % PAGE == fragment.length % PAGE == 0
        end = fragment.offset + fragment.length
    assert end <= layout.disk_bytes


def test_layout_of_a_usual_disk_is_scattered() -> None:
    """A sparse disk has data at its start, in several places, and far from its start."""
    layout = plan_vhd(1024 * MEBIBYTE, 16 * MEBIBYTE, "image run 1")
    assert layout.fragments[0].offset == 0
    assert len(layout.fragments) > 5
    assert layout.fragments[-1].offset > 256 * MEBIBYTE


def test_same_seed_gives_the_same_disk() -> None:
    """Layout and content follow from the arguments alone."""
    first, again, other = (plan_vhd(64 * MEBIBYTE, MEBIBYTE, seed) for seed in ("a", "a", "b"))
    assert first == again
    assert fragment_content(first, first.fragments[0]) == fragment_content(again, again.fragments[0])
    assert fragment_content(first, first.fragments[0])[:16] != fragment_content(other, other.fragments[0])[:16]


@pytest.mark.parametrize(
    ("disk_bytes", "allocated_bytes"),
    [(0, 512), (MEBIBYTE + 1, 512), (MEBIBYTE, 0), (MEBIBYTE, 700), (MEBIBYTE, MEBIBYTE + 1024)],
)
def test_impossible_sizes_are_refused(disk_bytes: int, allocated_bytes: int) -> None:
    """Sizes that are no whole pages, or more than the disk holds, are an error."""
    with pytest.raises(ValueError, match="bytes"):
        plan_vhd(disk_bytes, allocated_bytes, "seed")


def test_footer_is_that_of_a_fixed_disk() -> None:
    """The footer has the cookie, the size, the disk type 2, no dynamic header and the time since 2000."""
    footer = vhd_footer(plan_vhd(64 * MEBIBYTE, 512, "seed"), CREATED)
    assert len(footer) == 512
    assert footer[:8] == b"conectix"
    assert footer[16:24] == b"\xff" * 8
    assert int.from_bytes(footer[24:28], "big") == (CREATED - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds()
    assert int.from_bytes(footer[40:48], "big") == int.from_bytes(footer[48:56], "big") == 64 * MEBIBYTE
    assert int.from_bytes(footer[60:64], "big") == 2


def test_footer_checksum_is_the_complement_of_the_sum_of_the_rest() -> None:
    """The checksum is the one's complement of the sum of all bytes without it."""
    footer = vhd_footer(plan_vhd(64 * MEBIBYTE, 512, "seed"), CREATED)
    rest = footer[:64] + footer[68:]
    assert int.from_bytes(footer[64:68], "big") == ~sum(rest) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("disk_bytes", "geometry"),
    [
        (MEBIBYTE, (30, 4, 17)),
        (64 * MEBIBYTE, (963, 8, 17)),
        (2048 * MEBIBYTE, (4161, 16, 63)),
        (30 * 1024 * MEBIBYTE, (62415, 16, 63)),
        (127 * 1024 * MEBIBYTE, (65278, 16, 255)),
    ],
)
def test_geometry_follows_the_specification(disk_bytes: int, geometry: tuple[int, int, int]) -> None:
    """Cylinders, heads and sectors are those of the calculation in the VHD specification."""
    assert disk_geometry(disk_bytes) == geometry
