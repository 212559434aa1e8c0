from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aib_emulator.keeping.journal import Journal, JournalError, read_journal

if TYPE_CHECKING:
    from pathlib import Path

KEYS = st.sampled_from(["resource:a", "resource:b", "operation:a"])
RECORDS = st.none() | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), max_size=2)
CHANGES = st.lists(st.dictionaries(KEYS, RECORDS, min_size=1, max_size=3), max_size=6)


def state_after(changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the records that these changes lead to."""
    merged: dict[str, Any] = {}
    for change in changes:
        merged.update(change)
    return {key: record for key, record in merged.items() if record is not None}


def written(file: Path, changes: list[dict[str, Any]]) -> Path:
    """Write a journal with these changes."""
    file.unlink(missing_ok=True)
    journal = Journal(file)
    journal.open()
    for change in changes:
        journal.append(change)
    journal.close()
    return file


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(changes=CHANGES, data=st.data())
def test_a_journal_cut_at_any_byte_holds_the_first_changes(
    tmp_path: Path, changes: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Whatever is cut off, what remains are the first so many changes, each of them whole."""
    file = written(tmp_path / "journal", changes)
    whole = file.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    file.write_bytes(whole[:cut])
    complete = max(0, whole[:cut].count(b"\n") - 1)
    assert read_journal(file) == state_after(changes[:complete])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(changes=CHANGES, more=CHANGES)
def test_a_journal_goes_on_after_it_was_cut(
    tmp_path: Path, changes: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    """A torn last line is gone once the journal is opened again, and what is appended then is read."""
    file = written(tmp_path / "journal", changes)
    file.write_bytes(file.read_bytes() + b'0123abcd {"half')
    journal = Journal(file)
    assert journal.open() == state_after(changes)
    for change in more:
        journal.append(change)
    journal.close()
    assert read_journal(file) == state_after([*changes, *more])


def test_opening_shortens_a_journal(tmp_path: Path) -> None:
    """A record that was changed a hundred times is written once after the next start."""
    file = written(tmp_path / "journal", [{"resource:a": {"n": n}} for n in range(100)])
    long = file.stat().st_size
    Journal(file).open()
    assert file.stat().st_size < long / 20


@pytest.mark.parametrize("at", [9, 60, 75])
def test_damage_names_the_file_and_leaves_it_alone(tmp_path: Path, at: int) -> None:
    """A wrong byte anywhere but in a torn last line is an error, and the file stays as it is."""
    file = written(tmp_path / "journal", [{"resource:a": {"n": 1}}, {"resource:a": {"n": 2}}])
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(JournalError, match=str(file)):
        Journal(file).open()
    assert file.read_bytes() == content


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A journal of a later emulator is not read as one of this."""
    text = json.dumps({"journal": "aib-emulator", "version": 2}).encode()
    file = tmp_path / "journal"
    file.write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))
    with pytest.raises(JournalError, match="another version"):
        Journal(file).open()


def test_a_journal_does_not_grow_for_ever(tmp_path: Path) -> None:
    """What was overwritten goes while it is written, and nothing else does."""
    journal = Journal(tmp_path / "journal", longest=1000)
    journal.open()
    for number in range(200):
        journal.append({"resource:a": {"number": number}, f"operation:{number % 5}": {}})
    journal.close()
    assert (tmp_path / "journal").stat().st_size <= 1100
    assert read_journal(tmp_path / "journal") == {
        "resource:a": {"number": 199},
        **{f"operation:{number}": {} for number in range(5)},
    }


def test_a_journal_that_cannot_be_shortened_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The long one is written on, and the log says so."""
    journal = Journal(tmp_path / "journal", longest=100)
    journal.open()
    (tmp_path / "journal.new").mkdir()
    for number in range(20):
        journal.append({"resource:a": {"number": number}})
    journal.close()
    assert read_journal(tmp_path / "journal") == {"resource:a": {"number": 19}}
    assert "could not be shortened" in caplog.text
