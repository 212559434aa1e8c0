"""The two recorded forms of a log's lines: that of today, and that of the years before autumn 2023."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.services.image_builder.customizers import DONE

if TYPE_CHECKING:
    from datetime import datetime

    from aib_emulator.services.image_builder.customizers import Line

FROM_UI = ("ui error: ", "ui: ")
"""What today's form writes before a line that people see; the old form sends those to another stream."""
OLD_DONE = "Done exporting Packer logs to Azure for Packer prefix: [{prefix}] PACKER OUT"


def new_line(line: Line, at: datetime, prefix: str) -> str:
    """Write a line as the service does today."""
    stamp = f"{_stamp(at)} " if line.is_timed else ""
    return f"[{prefix}] PACKER {stamp}{line.text}\n"


def old_line(line: Line, at: datetime, prefix: str) -> str:
    """Write a line as the service did: OUT for what people see, ERR for the debug log."""
    if line.text == DONE:
        return OLD_DONE.format(prefix=prefix) + "\n"
    seen = next((line.text.removeprefix(mark) for mark in FROM_UI if line.text.startswith(mark)), None)
    if seen is not None or not line.is_timed:
        return f"[{prefix}] PACKER OUT {seen or line.text}\n"
    own = f"packer: {_stamp(at)} " if line.text.startswith("[") else ""
    return f"[{prefix}] PACKER ERR {_stamp(at)} {own}{line.text}\n"


WRITERS = {"new": new_line, "old": old_line}


def _stamp(at: datetime) -> str:
    return f"{at:%Y/%m/%d %H:%M:%S}"
