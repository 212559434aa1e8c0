"""Searches log files for what must not stand in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

UNCLOSED = re.compile(r"Unclosed (?:client session|connector|connection)|was never awaited")
SECRET_FORMS = {
    "bearer token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "signature": re.compile(r"[?&;]sig=[\w%+/-][\w%+/=-]{15,}"),
    "account key": re.compile(r"AccountKey=[\w+/=]{16,}"),
}
SHOWN = 200


@dataclass(frozen=True)
class LogTroubles:
    """Hold the places that should not be.

    :param unclosed: lines about sessions that nobody has closed, and coroutines that nobody has awaited.
    :param secrets: where a secret stands, and which; never the secret itself.
    """

    unclosed: tuple[str, ...]
    secrets: tuple[str, ...]


def search_logs(folders: Iterable[Path], secrets: Mapping[str, str]) -> LogTroubles:
    """Search every file below the folders.

    :param secrets: what must not stand there, by what people call it.
    """
    unclosed: list[str] = []
    found: list[str] = []
    for place, line in _lines(folders):
        if UNCLOSED.search(line):
            unclosed.append(f"{place}: {line.strip()[:SHOWN]}")
        found += [f"{place}: {name}" for name, value in secrets.items() if value in line]
        found += [f"{place}: {name}" for name, form in SECRET_FORMS.items() if form.search(line)]
    return LogTroubles(tuple(unclosed), tuple(found))


def _lines(folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield each line with its place."""
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            with file.open(encoding="utf-8", errors="replace") as stream:
                for number, line in enumerate(stream, 1):
                    yield f"{file.relative_to(folder.parent)}:{number}", line
