from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aib_emulator.keeping.codec import Codec
from aib_emulator.keeping.journal import Journal, read_journal
from aib_emulator.keeping.keeper import Keeper

if TYPE_CHECKING:
    from pathlib import Path

    from aib_emulator.keeping.journal import Records


def opened(file: Path, things: dict[str, Any]) -> Keeper:
    """Return a keeper of these things."""
    keeper = Keeper()
    keeper.add("thing", things)
    keeper.open(Journal(file), Codec())
    return keeper


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 3)), max_size=12))
def test_the_journal_follows_every_change(tmp_path: Path, changes: list[tuple[str, int | None]]) -> None:
    """After each commit the journal holds what there is."""
    file, things = tmp_path / "journal", dict[str, Any]()
    file.unlink(missing_ok=True)
    keeper = opened(file, things)
    for key, value in changes:
        things[key] = None if value is None else [value]
        keeper.touch("thing", key)
        keeper.commit()
        expected: Records = {f"thing:{name}": thing for name, thing in things.items() if thing is not None}
        assert read_journal(file) == expected
    keeper.close()


def test_what_has_not_changed_is_not_written(tmp_path: Path) -> None:
    """Handing an object out costs no line of the journal."""
    file = tmp_path / "journal"
    keeper = opened(file, {"a": [1]})
    keeper.touch("thing", "a")
    keeper.commit()
    size = file.stat().st_size
    keeper.touch("thing", "a")
    keeper.commit()
    assert file.stat().st_size == size


def test_changes_that_belong_together_are_one_line(tmp_path: Path) -> None:
    """Nothing is written in between."""
    file, things = tmp_path / "journal", {"a": [1], "b": [2]}
    keeper = opened(file, things)
    with keeper.as_one():
        for key in things:
            keeper.touch("thing", key)
            keeper.commit()
        assert read_journal(file) == {}
    assert file.read_bytes().count(b"\n") == 2


def test_what_was_done_before_an_error_is_written(tmp_path: Path) -> None:
    """An error ends what was being done, and what it changed until then is written nevertheless."""
    things: dict[str, Any] = {}
    keeper = opened(tmp_path / "journal", things)

    def change_and_fail() -> None:
        with keeper.at_the_end():
            things["a"] = 1
            keeper.touch("thing", "a")
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    assert read_journal(tmp_path / "journal") == {"thing:a": 1}


def test_a_change_without_a_word_is_found(tmp_path: Path) -> None:
    """Whoever forgets to touch what was changed, added or taken away is found out."""
    things: dict[str, Any] = {"a": [1], "b": [2], "same": [3]}
    keeper = opened(tmp_path / "journal", things)
    for key in things:
        keeper.touch("thing", key)
    assert keeper.forgotten() == []
    things["a"].append(4)
    things["new"] = []
    del things["b"]
    assert keeper.forgotten() == ["thing:a", "thing:b", "thing:new"]


def test_without_a_journal_nothing_is_written(tmp_path: Path) -> None:
    """A keeper that was never opened takes every word and does nothing."""
    keeper = Keeper()
    keeper.add("thing", {"a": 1})
    keeper.touch("thing", "a")
    keeper.commit()
    assert list(tmp_path.iterdir()) == []
