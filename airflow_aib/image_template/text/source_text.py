"""Text to data: JSON as ARM writes it, with comments, and YAML read by JSON's rules."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.pointers import unescape
from airflow_aib.image_template.text.places import Places, json_places, token_offset, yaml_places
from airflow_aib.image_template.text.unreadable import broken, refuse_unfit, too_deep
from airflow_aib.image_template.text.yaml_text import compose_yaml, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

# A string comes first, so that what looks like a comment inside it stays. What is never closed reaches to the end:
# if it matched nothing, every quote inside would be tried again as a beginning.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_JSON_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*+[}}\]])", re.DOTALL)
_YAML_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\n]*", re.MULTILINE)


@dataclass(frozen=True)
class SourceText:
    """Hold a document's text, and find places in it.

    :param text: the file's content, without byte order mark
    :param source: its name, which tells the format; without a known ending the first character does
    """

    text: str = field(repr=False)
    source: str

    @property
    def is_json(self) -> bool:
        """Whether it is JSON, else YAML."""
        ending = self.source.casefold().rpartition(".")[2]
        return ending in {"json", "jsonc", "json5"} or (
            ending not in {"yaml", "yml"} and self.text.lstrip()[:1] in {"{", "/"}
        )

    def parse(self) -> tuple[Any, tuple[Finding, ...]]:
        """Give the content, and what was noticed while reading."""
        if self.is_json:
            content, has_twins = _parse_json(self._plain, self.text, self.source)
        else:
            content, has_twins = parse_yaml(self.text, self.source), False
        refuse_unfit(content, self.source)
        return content, tuple(self._twins()) if has_twins else ()

    @cached_property
    def places(self) -> Places:
        """Where everything stands; the text must have been parsed before."""
        if self.is_json:
            return json_places(self.text, self._plain)
        return yaml_places(self.text, compose_yaml(self.text))

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """Every comment with its offset; in YAML also what only looks like one inside a text."""
        pattern = _JSON_COMMENT if self.is_json else _YAML_COMMENT
        return tuple((match.start(), match[0]) for match in pattern.finditer(self.text) if match[0][0] in "/#")

    def is_comment(self, offset: int) -> bool:
        """Whether what looks like a comment is one, and not part of a text."""
        return self.is_json or not any(
            place.is_scalar and place.value.start <= offset < place.value.end
            for place in self.places.by_pointer.values()
        )

    @cached_property
    def _plain(self) -> str:
        return _blank(_TRAILING_COMMA, _blank(_JSON_COMMENT, self.text))

    def _twins(self) -> Iterator[Finding]:
        for pointer, earlier in self.places.twice:
            earlier_line, _ = self.places.position(earlier.start)
            line, column = self.places.position(self.places.by_pointer[pointer].start)
            name = unescape(pointer.rpartition("/")[2])
            message = f"The key {name!r} stands in line {earlier_line} too; the last one counts"
            found = warning(pointer, "key-twice", message, "Remove one.")
            yield replace(found, file=self.source, line=line, column=column)


def parse_text(text: str, source: str) -> tuple[Any, tuple[Finding, ...]]:
    """Read JSON or YAML.

    :param text: the file's content, without byte order mark
    :param source: its name, which tells the format; without a known ending the first character does
    """
    return SourceText(text, source).parse()


def _parse_json(plain: str, text: str, source: str) -> tuple[Any, bool]:
    """Read JSON without comments; give also whether a key stands twice."""
    twins: list[int] = []

    def keep_last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        kept = dict(pairs)
        if len(kept) < len(pairs):
            twins.append(len(pairs))
        return kept

    def refuse(constant: str) -> Any:
        line, column = _position(plain, token_offset(plain, constant))
        raise broken(text, source, f"{constant} is not JSON: write a number, or text in quotes", line, column)

    try:
        # ARM lets a string span lines, which JSON does not: strict=False.
        content = json.loads(plain, strict=False, object_pairs_hook=keep_last, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise broken(text, source, error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise too_deep(source) from error
    except ValueError as error:
        # Python refuses to read integers of thousands of digits.
        raise ImageTemplateReadError(
            f"{source} cannot be read: {error}", hint="Write a smaller number.", source=source
        ) from error
    return content, bool(twins)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Blank out what the pattern finds outside strings, so that every position stays what it was."""
    return pattern.sub(
        lambda match: match[0] if _stays(match[0]) else re.sub(r"[^\n]", " ", match[0]),
        text,
    )


def _stays(piece: str) -> bool:
    """Whether it is a string, or a comment without end, which the parser shall complain about."""
    return piece.startswith('"') or (piece.startswith("/*") and not piece.endswith("*/", 2))


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
