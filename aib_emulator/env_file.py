"""Writes the variables that point clients at the emulator, for shells and for programs."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Format = Literal["sh", "json"]


def write_env_file(file: Path, variables: Mapping[str, str], env_format: Format = "sh") -> None:
    """Write `variables` at once and for the owner only: whoever sees the file can rely on it."""
    if env_format == "json":
        text = json.dumps(dict(variables), indent=1) + "\n"
    else:
        text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
