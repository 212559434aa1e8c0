"""Outlines of documents, kept by content: a DAG file is parsed all day long, and documents hardly ever change."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

# Another one makes what older versions of this provider have kept worthless.
LAYOUT = 1


@dataclass
class OutlineCache:
    """Remember what was made of some content, in one small file.

    A file that cannot be read or written costs time and nothing else. What it holds can be made anew from the
    documents at any time.

    :param path: of the file; None keeps nothing
    """

    path: Path | None
    _known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _used: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def load(self) -> None:
        """Read what is known."""
        if self.path is None:
            return
        try:
            kept = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return
        if isinstance(kept, dict) and kept.get("layout") == LAYOUT and isinstance(kept.get("outlines"), dict):
            self._known = kept["outlines"]

    def get(self, key: str, make: Callable[[], Iterable[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Give what belongs to some content, and make it only if it is not known.

        :param key: from `key_of`
        :param make: makes it
        """
        if key not in self._used:
            known = self._known.get(key)
            self._used[key] = known if isinstance(known, list) else list(make())
        return self._used[key]

    def save(self) -> None:
        """Keep what was asked for, and nothing else, unless that is what is kept already."""
        if self._used == self._known or self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(self.path, json.dumps({"layout": LAYOUT, "outlines": self._used}))
        except OSError as error:
            log.debug("Outlines of documents are not kept in %s: %s", self.path, error)


def _write(path: Path, text: str) -> None:
    """Write so that nobody ever reads half of it, and nothing is left of what could not be written."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def key_of(*parts: bytes | str) -> str:
    """Give the key of some content."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8))
        digest.update(content)
    return digest.hexdigest()
