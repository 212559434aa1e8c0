"""A file written anew: whole or not at all, with its mode and byte order mark."""

from __future__ import annotations

import codecs
import difflib
import os
import shutil
import tempfile
from pathlib import Path


def rewrite(path: str | Path, text: str) -> None:
    """Put another text into a file in one step, so that nobody ever sees half of it.

    :param path: the file; of a link, the file that it leads to
    :param text: without byte order mark, which is kept where there is one
    """
    file = Path(path).resolve()
    with file.open("rb") as former:
        has_mark = former.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    handle, beside = tempfile.mkstemp(prefix=".airflow-aib-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write((codecs.BOM_UTF8 if has_mark else b"") + text.encode())
        shutil.copymode(file, beside)
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def unified_diff(name: str, old: str, new: str) -> str:
    """Show what differs between two texts of a file.

    :param name: of the file
    """
    return "\n".join(difflib.unified_diff(_lines(old), _lines(new), name, name, lineterm=""))


def _lines(text: str) -> list[str]:
    """Split a text at its line ends only, which `str.splitlines` does not."""
    return text.removesuffix("\n").split("\n")
