"""How findings are written: one module for each format, and the table of them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from airflow_aib.cli.arguments import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.reports import FileReport

    Writer = Callable[[Sequence[FileReport], Console], None]

__all__ = ["writer_of"]

_MODULES = dict(zip(FORMATS, ("as_text", "as_json", "as_sarif", "as_github"), strict=True))


def writer_of(format_name: str) -> Callable[..., None]:
    """Give what writes reports in a format: a function of the reports, the console, and whether to show all."""
    writer: Callable[..., None] = importlib.import_module(f"{__name__}.{_MODULES[format_name]}").write
    return writer
