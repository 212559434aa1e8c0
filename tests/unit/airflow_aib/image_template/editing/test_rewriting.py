from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from airflow_aib.image_template.editing.rewriting import rewrite, unified_diff

if TYPE_CHECKING:
    from pathlib import Path


def test_mode_and_byte_order_mark_stay(tmp_path: Path) -> None:
    """A file keeps its mode, its mark and the line ends of the new text; nothing is left beside it."""
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf{}\r\n")
    file.chmod(0o640)
    rewrite(file, '{"a": "ü"}\r\n')

    assert file.read_bytes() == b'\xef\xbb\xbf{"a": "\xc3\xbc"}\r\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What a link leads to is written anew, and the link still leads there."""
    file, link = tmp_path / "a.json", tmp_path / "b.json"
    file.write_text("old")
    link.symlink_to(file)
    rewrite(link, "new")

    assert link.is_symlink()
    assert file.read_text() == "new"


def test_a_text_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """After an error the file is what it was, and nothing is left beside it."""
    file = tmp_path / "a.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        rewrite(file, "\ud800")

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_difference() -> None:
    """A difference has the lines as they are, with their ends, as `patch` takes them."""
    assert unified_diff("a.json", "{\r\n1\r\n}\r\n", "{\r\n2\r\n}\r\n").split("\n") == [
        "--- a.json",
        "+++ a.json",
        "@@ -1,3 +1,3 @@",
        " {\r",
        "-1\r",
        "+2\r",
        " }\r",
    ]
