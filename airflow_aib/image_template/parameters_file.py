"""Parameters from a file: ARM's deploymentParameters, or names with their values, in JSON or YAML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.likeness import holds_image_template
from airflow_aib.image_template.text.source_text import parse_text

_EXPECTED = 'Write names with their values, or an ARM parameters file: {"parameters": {"name": {"value": ...}}}.'


@dataclass(frozen=True)
class KeyVaultReference:
    """Stand for a value that an ARM deployment would take from a Key Vault.

    :param secret_name: in the vault
    """

    secret_name: str


def read_parameters(path: str | Path) -> dict[str, Any]:
    """Read parameters: values by name, and a `KeyVaultReference` where the file refers to a secret.

    :param path: of a JSON file, in which comments may stand, or of a YAML file
    """
    source = str(path)
    content = _parsed(_read_text(Path(path)), source)
    if not isinstance(content, dict):
        raise ImageTemplateReadError(f"{source} holds no object with parameters", hint=_EXPECTED, source=source)
    if holds_image_template(content):
        raise ImageTemplateReadError(f"{source} holds an image template, not values", hint=_EXPECTED, source=source)
    if not _is_arm_form(content):
        return dict(content)
    entries = content.get("parameters", {})
    if not isinstance(entries, dict):
        raise ImageTemplateReadError(f"'parameters' in {source} is not an object", hint=_EXPECTED, source=source)
    return {name: _value(name, entry, source) for name, entry in entries.items()}


def _parsed(text: str, source: str) -> Any:
    """Parse the file; nothing in it is shown, since any value may be secret."""
    try:
        return parse_text(text, source)[0]
    except ImageTemplateReadError as error:
        place = "" if error.line is None else f", line {error.line}, column {error.column}"
        problem = error.data.get("problem", "it cannot be read")
        said = f"{source}{place}: {problem}"
        hint, line, column = error.hint, error.line, error.column
    # Outside `except`: the cause quotes the line.
    raise ImageTemplateReadError(said, hint=hint, source=source, line=line, column=column)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImageTemplateReadError(
            f"Cannot read parameters {path}: {error.strerror}",
            hint="Operators look for a relative path beside the DAG file, everybody else in the working directory; an "
            "absolute one is always found.",
            source=str(path),
        ) from error
    except UnicodeDecodeError as error:
        raise ImageTemplateReadError(
            f"{path} is not UTF-8 at byte {error.start}", hint="Save the file as UTF-8.", source=str(path)
        ) from None


def _is_arm_form(content: dict[str, Any]) -> bool:
    """Tell ARM's form from plain names, one of which may be `parameters`."""
    if "$schema" in content or "contentVersion" in content:
        return True
    entries = content.get("parameters")
    return len(content) == 1 and isinstance(entries, dict) and all(_is_entry(entry) for entry in entries.values())


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and not {"value", "reference"}.isdisjoint(entry)


def _value(name: str, entry: Any, source: str) -> Any:
    if not _is_entry(entry):
        raise ImageTemplateReadError(
            f"{source}, at /parameters/{name}: there is neither 'value' nor 'reference'", hint=_EXPECTED, source=source
        )
    if "value" in entry:
        return entry["value"]
    reference = entry["reference"]
    return KeyVaultReference(str(reference.get("secretName", "")) if isinstance(reference, dict) else "")
