from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.log_splitter import LogSplitter

texts = st.text(alphabet=st.sampled_from("aé€😀\r\n "), max_size=60)


def feed(splitter: LogSplitter, data: bytes, size: int) -> list[str]:
    """Hand bytes in in pieces of one size."""
    return [line for at in range(0, len(data), size) for line in splitter.feed(data[at : at + size])]


def test_lines_come_when_they_are_whole() -> None:
    """A line without its end is held back."""
    splitter = LogSplitter()

    assert splitter.feed(b"one\ntw") == ["one"]
    assert splitter.feed(b"o\n") == ["two"]
    assert splitter.finish() == []


def test_last_line_without_end() -> None:
    """At the end of the log the last line comes, end or not."""
    splitter = LogSplitter()

    assert splitter.feed(b"one\ntwo") == ["one"]
    assert splitter.finish() == ["two"]
    assert splitter.finish() == []


def test_windows_line_ends() -> None:
    """A carriage return before the line's end is no part of the line."""
    assert LogSplitter().feed(b"one\r\ntwo\r\n") == ["one", "two"]


def test_bytes_that_are_no_utf8() -> None:
    """What is no UTF-8 is shown as such and ends nothing."""
    assert LogSplitter().feed(b"caf\xe9\nnext\n") == ["caf�", "next"]


@given(texts, st.integers(1, 9))
def test_any_cut_gives_the_same_lines(text: str, size: int) -> None:
    """However the bytes are cut, also inside a character, the lines are those of the whole."""
    data = text.encode()
    pieces, whole = LogSplitter(), LogSplitter()

    assert feed(pieces, data, size) + pieces.finish() == whole.feed(data) + whole.finish()


@given(texts, texts, st.integers(1, 9))
def test_another_splitter_goes_on(first: str, second: str, size: int) -> None:
    """A new splitter that reads from `consumed` on gives exactly the lines that are left."""
    data = (first + second).encode()
    before = LogSplitter()
    given_before = feed(before, first.encode(), size)
    after = LogSplitter(before.consumed)
    whole = LogSplitter()

    assert given_before + after.feed(data[before.consumed :]) + after.finish() == whole.feed(data) + whole.finish()
    assert after.consumed == len(data)


@given(texts)
def test_received_counts_all_bytes(text: str) -> None:
    """`received` says from where to read on with the same splitter."""
    splitter = LogSplitter(100)
    splitter.feed(text.encode())

    assert splitter.received == 100 + len(text.encode())


@given(st.text(alphabet="a€😀", max_size=80))
def test_endless_line_is_broken_between_characters(text: str) -> None:
    """A line that is longer than allowed is broken, and no character with it."""
    splitter = LogSplitter(longest_line=8)
    lines = feed(splitter, text.encode(), 5) + splitter.finish()

    assert "".join(lines) == text
    assert all(len(line.encode()) <= 8 for line in lines)


def test_endless_line_that_is_no_utf8() -> None:
    """Bytes that begin no character do not keep a line from being broken."""
    splitter = LogSplitter(longest_line=8)

    assert len(splitter.feed(b"\x80" * 20)) == 2
    assert splitter.received == 20
