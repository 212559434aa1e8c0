"""Calls of the command line, and documents to call it with."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.cli import main
from tests.unit.airflow_aib.image_template.sample_documents import body

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TYPE = "Microsoft.VirtualMachineImages/imageTemplates"


@dataclass(frozen=True)
class Outcome:
    """Hold what a call left.

    :param code: its exit code
    :param stdout: what it wrote
    :param stderr: what it remarked
    """

    code: int
    stdout: str
    stderr: str

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Read what `--format json` wrote."""
        found: list[dict[str, Any]] = json.loads(self.stdout)
        return found

    @property
    def rules(self) -> list[str]:
        """Return the rules of these findings."""
        return [finding["rule"] for finding in self.findings]


def call(capsys: pytest.CaptureFixture[str], *arguments: object, stdin: bytes = b"") -> Outcome:
    """Call the command line."""
    code = main([str(argument) for argument in arguments], stdin=io.BytesIO(stdin))
    return Outcome(code, *capsys.readouterr())


def resource(**properties: Any) -> dict[str, Any]:
    """Build a good image template as it stands in a file."""
    return {"type": TYPE, **body(**properties)}


def write(file: Path, content: dict[str, Any] | str) -> Path:
    """Write a file, with the folders around it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return file


def deployment(*resources: dict[str, Any], **parameters: dict[str, Any]) -> dict[str, Any]:
    """Build a deployment file with image templates named `one`, `two`, ..."""
    names = ("one", "two", "three")
    named = [{"name": name, **item} for name, item in zip(names, resources, strict=False)]
    return {"parameters": parameters, "resources": named}
