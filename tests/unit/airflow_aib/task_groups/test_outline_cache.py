from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.task_groups.outline_cache import OutlineCache, key_of

if TYPE_CHECKING:
    from pathlib import Path


class Maker:
    """Make something, and count how often."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> list[dict[str, Any]]:
        """Make it."""
        self.made += 1
        return [{"name": "base"}]


def asked(path: Path, make: Maker, *keys: str) -> list[list[dict[str, Any]]]:
    """Ask for some content as one parse of a DAG file does."""
    cache = OutlineCache(path)
    cache.load()
    found = [cache.get(key, make) for key in keys]
    cache.save()
    return found


def test_the_same_content_is_read_once(tmp_path: Path) -> None:
    """The next parse, in another process, finds what the one before has made."""
    make = Maker()

    first = asked(tmp_path / "c" / "x.json", make, "a", "b", "a")
    second = asked(tmp_path / "c" / "x.json", make, "a", "b")

    assert first == [[{"name": "base"}]] * 3
    assert second == first[:2]
    assert make.made == 2


def test_what_is_not_asked_for_any_more_is_forgotten(tmp_path: Path) -> None:
    """The file does not grow with every change of a document."""
    path = tmp_path / "x.json"
    asked(path, Maker(), "old", "kept")
    asked(path, Maker(), "kept", "new")

    assert json.loads(path.read_text())["outlines"].keys() == {"kept", "new"}


def test_nothing_is_written_when_nothing_has_changed(tmp_path: Path) -> None:
    """A DAG file that is parsed all day long wears out no disk."""
    path = tmp_path / "x.json"
    asked(path, Maker(), "a")
    before = path.stat()
    asked(path, Maker(), "a")

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", '{"layout": 0, "outlines": {"a": []}}', '{"layout": 1, "outlines": 3}']
)
def test_a_file_that_was_spoilt_costs_time_only(tmp_path: Path, spoilt: str) -> None:
    """What it should hold is made anew."""
    path = tmp_path / "x.json"
    path.write_text(spoilt)

    assert asked(path, Maker(), "a") == [[{"name": "base"}]]


def test_a_place_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    """Nobody is kept from parsing by a read-only home."""
    (tmp_path / "file").write_text("")

    assert asked(tmp_path / "file" / "x.json", Maker(), "a") == [[{"name": "base"}]]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DAG file that is parsed all day long does not fill a folder with what it could not write."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    asked(tmp_path / "x.json", Maker(), "a")
    before = (tmp_path / "x.json").read_bytes()
    monkeypatch.setattr(type(tmp_path), "replace", full)

    assert asked(tmp_path / "x.json", Maker(), "a", "b") == [[{"name": "base"}]] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_bytes() == before


def test_no_place_keeps_nothing() -> None:
    """Where there is no place for a file, content is read each time."""
    make = Maker()
    for _ in range(2):
        cache = OutlineCache(None)
        cache.load()
        assert cache.get("a", make) == [{"name": "base"}]
        cache.save()

    assert make.made == 2


def test_keys_keep_parts_apart() -> None:
    """What moves from one part of the content to the next is other content."""
    assert key_of("ab", b"c") == key_of("ab", "c") != key_of("a", "bc")
