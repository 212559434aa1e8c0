"""The commands of inline scripts, one by one, as far as that can be told without a shell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.heredocs import without_heredocs
from airflow_aib.image_template.checks.reading import inline_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CONTINUED = re.compile(r"[\\`]\n\s*")
# A pipe belongs to its command: `yes | apt-get install`.
_SEPARATOR = re.compile(r"&&|\|\||;|\n")


@dataclass(frozen=True)
class Command:
    """Hold one command of a script.

    :param path: JSON pointer of the text in which it stands
    :param text: without blanks around it
    """

    path: str
    text: str


@dataclass(frozen=True)
class Script:
    """Hold the inline script of one step.

    :param path: of the step
    :param kind: `Shell` or `PowerShell`
    :param texts: as they stand in the list
    :param commands: one by one, without comments and the bodies of heredocs
    """

    path: str
    kind: str
    texts: tuple[str, ...]
    commands: tuple[Command, ...]

    @property
    def has_lines(self) -> bool:
        """Whether there is any text, be it blank."""
        return bool(self.texts)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.texts)


def scripts_of(steps: list[tuple[str, Mapping[str, Any]]]) -> list[Script]:
    """Give the inline scripts of these steps."""
    return [_script(path, step) for path, step in steps if isinstance(step.get("inline"), list)]


def _script(path: str, step: Mapping[str, Any]) -> Script:
    texts, kind = list(inline_of(step, path)), text_of(step, "type")
    executed = without_heredocs(texts) if kind == "Shell" else texts
    commands = tuple(command for place, text in executed for command in _commands(place, text))
    return Script(path, kind, tuple(text for _, text in texts), commands)


def _commands(path: str, text: str) -> Iterator[Command]:
    for part in _SEPARATOR.split(_CONTINUED.sub(" ", text)):
        command = part.strip()
        if command and not command.startswith("#"):
            yield Command(path, command)
