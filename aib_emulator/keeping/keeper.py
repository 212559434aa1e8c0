"""Notices what may have changed, and writes down what has."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aib_emulator.keeping.codec import Codec
    from aib_emulator.keeping.journal import Journal

SINGLE = ""
"""Key of a family that has one member only."""


class Keeper:
    """Keep families of objects, each object under a key of its own.

    Whoever changes an object, or hands one out that may be changed, says so with `touch`. `commit` compares what was
    touched with what is written, and appends the difference as one change.
    """

    def __init__(self) -> None:
        self._families: dict[str, Mapping[str, Any]] = {}
        self._singles: dict[str, Callable[[], Any]] = {}
        self._touched: dict[tuple[str, str], None] = {}
        self._written: dict[tuple[str, str], bytes] = {}
        self._journal: Journal | None = None
        self._codec: Codec | None = None
        self._held = 0

    def add(self, family: str, objects: Mapping[str, Any]) -> None:
        """Keep a family.

        :param objects: the very dictionary that holds them, key -> object
        """
        self._families[family] = objects

    def add_single(self, family: str, look: Callable[[], Any]) -> None:
        """Keep one small object, which is looked at with every commit."""
        self._singles[family] = look

    def open(self, journal: Journal, codec: Codec) -> dict[str, dict[str, Any]]:
        """Begin to write, and return what is written already: family -> key -> object as JSON."""
        self._journal, self._codec = journal, codec
        found: dict[str, dict[str, Any]] = {}
        for name, record in journal.open().items():
            family, _, key = name.partition(":")
            self._written[family, key] = _digest(record)
            found.setdefault(family, {})[key] = record
        return found

    def touch(self, family: str, key: str = SINGLE) -> None:
        """Say that an object may have changed."""
        if self._journal is not None:
            self._touched[family, key] = None

    @contextlib.contextmanager
    def as_one(self) -> Iterator[None]:
        """Write nothing meanwhile, so that all of it is one change."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        self.commit()

    @contextlib.contextmanager
    def at_the_end(self) -> Iterator[None]:
        """Commit in the end, also when that is an error: what was done before it counts."""
        try:
            yield
        finally:
            self.commit()

    def commit(self) -> None:
        """Write down what has changed."""
        if self._journal is None or self._held:
            return
        change, digests = {}, {}
        for family, key in (*self._touched, *((family, SINGLE) for family in self._singles)):
            record = self._record(family, key)
            digest = _digest(record)
            if digest != self._written.get((family, key), _digest(None)):
                change[f"{family}:{key}"], digests[family, key] = record, digest
        if change:
            self._journal.append(change)
        self._touched.clear()
        self._written.update(digests)

    def forgotten(self) -> list[str]:
        """Commit, and return what has changed without a word to `touch`: it looks at everything."""
        self.commit()
        all_keys = {(family, key) for family, objects in self._families.items() for key in objects}
        known = {name for name in self._written if name[0] in self._families}
        return sorted(
            f"{family}:{key}"
            for family, key in all_keys | known
            if _digest(self._record(family, key)) != self._written.get((family, key), _digest(None))
        )

    def close(self) -> None:
        """Write nothing more."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _record(self, family: str, key: str) -> Any:
        single = self._singles.get(family)
        value = self._families[family].get(key) if single is None else single()
        return None if value is None or self._codec is None else self._codec.write(value)


def _digest(record: Any) -> bytes:
    return hashlib.blake2b(json.dumps(record).encode(), digest_size=16).digest()
