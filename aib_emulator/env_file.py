"""Writes the variables that point clients at the emulator, for shells and for programs."""

from __future__ import annotations

import json
import os
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Format = Literal["sh", "json"]


def write_env_file(file: Path, variables: Mapping[str, str], env_format: Format = "sh") -> None:
    """Write `variables` at once and for the owner only: whoever sees the file can rely on it."""
    if env_format == "json":
        text = json.dumps(dict(variables), indent=1) + "\n"
    else:
        text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    _write(file, text)


@contextmanager
def earlier_taken_away(file: Path | None) -> Iterator[None]:
    """Take an earlier start's file away at once: whoever waits for the file must not read old ports.

    Where the start then fails it is put back: it may be that of an emulator that runs.
    """
    if file is None or not file.is_file():
        yield
        return
    earlier = file.read_text(encoding="utf-8")
    file.unlink()
    try:
        yield
    except BaseException:
        if not file.exists():
            _write(file, earlier)
        raise


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
