"""A file of changes that survives being cut off at any byte: one line for each, with a checksum before it."""

from __future__ import annotations

import json
import logging
import os
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    Records = dict[str, Any]

log = logging.getLogger(__name__)

HEADER = {"journal": "aib-emulator", "version": 1}
CHECKSUM_DIGITS = 8
LONGEST, GROWTH = 32 * 1024 * 1024, 4
"""A journal is shortened once it is this long in bytes, and so many times as long as it was when it was short."""


class JournalError(OSError):
    """The journal is damaged, or of another version; the message names the file."""


class Journal:
    """Append changes to a file; a change is a few records, each with its key, None where one is gone.

    What is appended is with the operating system when `append` returns: killing the process loses nothing.

    :param file: the journal; made when it is not there
    :param longest: bytes from which on it is shortened while it is written
    """

    def __init__(self, file: Path, longest: int = LONGEST) -> None:
        self._path = file
        self._longest = longest
        self._file: BinaryIO | None = None
        self._size = self._short_size = 0

    def open(self) -> Records:
        """Return what is recorded, shorten the journal to just that, and begin to append."""
        records = read_journal(self._path)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.touch(mode=0o600)
        with fresh.open("wb") as out:
            out.write(_line(HEADER))
            for key, record in records.items():
                out.write(_line({key: record}))
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._path)
        file = self._path.open("ab", buffering=0)
        self.close()
        self._file = file
        self._size = self._short_size = self._path.stat().st_size
        return records

    def append(self, change: Mapping[str, Any]) -> None:
        """Write a change down; when that fails, nothing of it stays in the file."""
        if self._file is None:
            raise RuntimeError("The journal is not open.")
        line = _line(change)
        try:
            _write_all(self._file, line)
        except OSError as error:
            self._file.truncate(self._size)
            raise JournalError(f"{self._path}: a change could not be written ({error}). Free some space.") from error
        self._size += len(line)
        if self._size > max(self._longest, GROWTH * self._short_size):
            self._shorten()

    def _shorten(self) -> None:
        try:
            self.open()
        except OSError as error:  # the long one goes on
            self._short_size = self._size
            log.warning("%s could not be shortened: %s", self._path, error)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_journal(file: Path) -> Records:
    """Return the records of a journal; a last line without its end was being written when the writer was killed."""
    if not file.exists():
        return {}
    lines = file.read_bytes().split(b"\n")[:-1]
    if lines and _content(file, 1, lines[0]) != HEADER:
        raise JournalError(f"{file} was written by another version of the emulator. {_advice()}")
    records: Records = {}
    for number, line in enumerate(lines[1:], start=2):
        for key, record in _content(file, number, line).items():
            if record is None:
                records.pop(key, None)
            else:
                records[key] = record
    return records


def not_restored(file: Path, error: Exception) -> JournalError:
    """Return what to say of a journal that can be read, but whose records an emulator cannot go on from."""
    reason = f"{type(error).__name__}: {error}"
    return JournalError(f"{file} holds what this emulator cannot go on from ({reason}). {_advice()}")


def _line(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _content(file: Path, number: int, line: bytes) -> dict[str, Any]:
    checksum, _, text = line.partition(b" ")
    if len(checksum) != CHECKSUM_DIGITS or b"%08x" % zlib.crc32(text) != checksum:
        raise JournalError(f"{file}, line {number}, is damaged; nothing was changed. {_advice()}")
    content: dict[str, Any] = json.loads(text)
    return content


def _advice() -> str:
    return "Put back a copy of it, or begin anew with another data folder."


def _write_all(file: BinaryIO, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]
