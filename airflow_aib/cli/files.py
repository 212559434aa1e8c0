"""Which files a call means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.image_template.document import decoded_source, is_image_template_file, read_source
from airflow_aib.image_template.likeness import may_be_meant_as_one
from airflow_aib.image_template.text.source_text import SourceText

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from airflow_aib.cli.console import Console

STDIN = "-"
STDIN_NAME = "<stdin>"
_ENDINGS = (".json", ".jsonc", ".yaml", ".yml")
_FOREIGN_FOLDERS = frozenset({"node_modules", "venv", "__pycache__"})


@dataclass(frozen=True)
class Source:
    """Name what is to be read.

    :param name: for people: the path as it was given, or what standard input is called
    :param content: what standard input held; None for a file
    """

    name: str
    content: bytes | None = None

    def text(self) -> SourceText:
        """Read the text."""
        return read_source(self.name) if self.content is None else decoded_source(self.content, self.name)

    def readable_text(self) -> SourceText | None:
        """Read as much as can be shown of a text that cannot be read properly."""
        try:
            content = Path(self.name).read_bytes() if self.content is None else self.content
        except OSError:
            return None
        return SourceText(content.decode("utf-8-sig", errors="replace"), self.name)


def sources_of(
    paths: Iterable[str], *, stdin: BinaryIO, stdin_name: str | None = None, only_image_templates: bool = False
) -> list[Source]:
    """Give what a call names, sorted and each once; folders give the image templates that are in them.

    :param paths: files, folders, and `-`
    :param stdin: what `-` reads
    :param stdin_name: what to call it
    :param only_image_templates: whether a named file counts only if it looks like an image template
    """
    named = list(paths)
    if stdin_name is not None and STDIN not in named:
        raise UnusableCallError("--stdin-filename goes with the path -, which reads standard input.")
    found = {
        os.path.realpath(file): file
        for path in named
        if path != STDIN
        for file in _files(path, only_image_templates=only_image_templates)
    }
    sources = [Source(file) for file in sorted(found.values())]
    return [*sources, Source(stdin_name or STDIN_NAME, stdin.read())] if STDIN in named else sources


def sources_in(options: argparse.Namespace, console: Console) -> list[Source]:
    """Give what a command's options name, and remark where that is nothing."""
    sources = sources_of(
        options.paths,
        stdin=console.stdin,
        stdin_name=options.stdin_filename,
        only_image_templates=getattr(options, "only_image_templates", False),
    )
    if not sources:
        console.remark(f"There is no image template in {', '.join(options.paths)}.")
    return sources


def doubtful_sources_of(paths: Iterable[str]) -> list[Source]:
    """Give the files in folders that do not hold an image template, and perhaps were meant to."""
    files = {file for path in paths if Path(path).is_dir() for file in _walk(path) if not is_image_template_file(file)}
    return [Source(file) for file in sorted(files) if may_be_meant_as_one(file)]


def source_of(path: str, *, stdin: BinaryIO, stdin_name: str | None = None) -> Source:
    """Give the one file, or standard input, that a call names; the arguments are those of `sources_of`."""
    if Path(path).is_dir():
        raise UnusableCallError(f"{path} is a folder; name one file.")
    (source,) = sources_of([path], stdin=stdin, stdin_name=stdin_name)
    return source


def _files(path: str, *, only_image_templates: bool) -> Iterator[str]:
    if Path(path).is_dir():
        yield from (file for file in _walk(path) if is_image_template_file(file))
    elif not os.path.lexists(path):
        raise UnusableCallError(f"There is no file or folder {path}.")
    elif not only_image_templates or is_image_template_file(path):
        yield path


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _FOREIGN_FOLDERS]
        yield from (
            os.path.normpath(os.path.join(parent, name))  # noqa: PTH118 - 1,000 Path objects would cost more than the walk
            for name in files
            if name.lower().endswith(_ENDINGS) and not name.startswith(".")
        )
