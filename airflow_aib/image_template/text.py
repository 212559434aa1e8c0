"""Text to data: JSON as ARM writes it, with comments, and YAML read by JSON's rules."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.places import MOST_PLACES, Places, json_places, token_offset, yaml_places
from airflow_aib.image_template.pointers import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

# A string comes first, so that what looks like a comment inside it stays. What is never closed reaches to the end:
# if it matched nothing, every quote inside would be tried again as a beginning.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_JSON_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*+[}}\]])", re.DOTALL)
_YAML_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\n]*", re.MULTILINE)

# An image template has a dozen levels; deployments nested in deployments have some more.
MOST_LEVELS = 64
_TOO_DEEP = "An image template is a dozen levels deep at most."
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


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
            content, has_twins = _parse_yaml(self.text, self.source), False
        refuse_unfit(content, self.source)
        return content, tuple(self._twins()) if has_twins else ()

    @cached_property
    def places(self) -> Places:
        """Where everything stands; the text must have been parsed before."""
        if self.is_json:
            return json_places(self.text, self._plain)
        return yaml_places(self.text, yaml.compose(self.text, Loader=_loader_for(self.text)) or yaml.ScalarNode("", ""))

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


def refuse_unfit(content: Any, source: str) -> None:
    """Refuse what no request could carry, and what is nested so deeply that nothing can walk it."""
    left = [(content, 0)]
    while left:
        value, level = left.pop()
        if isinstance(value, dict | list):
            if level == MOST_LEVELS:
                raise _too_deep(source)
            items = [*value, *value.values()] if isinstance(value, dict) else value
            left.extend((item, level + 1) for item in items)
        elif isinstance(value, str) and _HALF_CHARACTER.search(value):
            raise ImageTemplateReadError(
                f"{source} holds half a character, as \\ud83d without its other half",
                hint="Write the character itself, or both halves.",
                source=source,
            )
        elif isinstance(value, float) and not math.isfinite(value):
            raise ImageTemplateReadError(
                f"{source} holds a number that is too great", hint="Write a smaller number.", source=source
            )


def _too_deep(source: str) -> ImageTemplateReadError:
    return ImageTemplateReadError(f"{source} is nested too deeply", hint=_TOO_DEEP, source=source)


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
        raise _broken(text, source, f"{constant} is not JSON: write a number, or text in quotes", line, column)

    try:
        # ARM lets a string span lines, which JSON does not: strict=False.
        content = json.loads(plain, strict=False, object_pairs_hook=keep_last, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise _broken(text, source, error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise _too_deep(source) from error
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


def _parse_yaml(text: str, source: str) -> Any:
    try:
        _refuse_deep_yaml(text, source)
        content = yaml.load(text, Loader=_QuickJsonLikeLoader)  # noqa: S506 - it derives from a safe loader
        return _PlainCopy(source).of(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _broken(text, source, error.problem or str(error), line, column) from error
    except RecursionError as error:
        raise _too_deep(source) from error
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ImageTemplateReadError(
            f"{source} cannot be read: {error}", hint="Use what JSON knows, and no anchor inside itself.", source=source
        ) from error


@dataclass
class _PlainCopy:
    """Copy what YAML gives: anchors may make one object stand in many places, a circle, or billions of items."""

    source: str
    left: int = MOST_PLACES

    def of(self, value: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ImageTemplateReadError(
                f"{self.source} holds more than {MOST_PLACES} values",
                hint="Do not nest anchors in anchors.",
                source=self.source,
            )
        if isinstance(value, dict):
            return {_yaml_key(key): self.of(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if value is None or isinstance(value, str | bool | int | float):
            return value
        raise TypeError(f"{type(value).__name__} is nothing that JSON knows")


def _yaml_key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int | float):
        return str(key)
    raise TypeError("a key must be text")


def _broken(text: str, source: str, problem: str, line: int, column: int) -> ImageTemplateReadError:
    lines = text.split("\n")
    shown = lines[line - 1].strip()[:120] if line <= len(lines) else ""
    return ImageTemplateReadError(
        f"{source}, line {line}, column {column}: {problem}" + (f", in: {shown}" if shown else ""),
        hint="Correct it there, or just before.",
        source=source,
        line=line,
        column=column,
        problem=problem,
    )


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Merging:
    """Merge mappings as YAML's `<<` says, but not without end: a few lines of merges can make billions of members."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)  # type: ignore[call-arg]  # goes on to PyYAML's own
        self._merged = 0
        self._open: list[yaml.MappingNode] = []

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put what is merged before the mapping's own members, which win; what comes first in a list wins too."""
        own = [pair for pair in node.value if pair[0].tag != _MERGE_TAG]
        merged: list[Any] = []
        self._open.append(node)
        for source in reversed([one for key, value in node.value if key.tag == _MERGE_TAG for one in _sources(value)]):
            if any(source is one for one in self._open):
                raise yaml.constructor.ConstructorError(None, None, "a mapping merges itself", node.start_mark)
            self.flatten_mapping(source)
            self._merged += len(source.value)
            if self._merged > MOST_PLACES:
                raise yaml.constructor.ConstructorError(None, None, "too much is merged", node.start_mark)
            merged += source.value
        self._open.pop()
        node.value = merged + own


_MERGE_TAG = "tag:yaml.org,2002:merge"


def _sources(value: yaml.Node) -> list[yaml.MappingNode]:
    sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if not all(isinstance(source, yaml.MappingNode) for source in sources):
        raise yaml.constructor.ConstructorError(None, None, "only mappings can be merged", value.start_mark)
    return list(sources)


class _JsonLikeLoader(_Merging, yaml.SafeLoader):
    """Read YAML by JSON's rules: no dates, no `yes` and `off`, no octal numbers, no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to replace the table


class _QuickJsonLikeLoader(_Merging, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's, where PyYAML was built with it
    """Read by the same rules ten times as quick, and die of deep nesting."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as above


def _refuse_deep_yaml(text: str, source: str) -> None:
    """Count levels by the parser's events, which need no recursion; libyaml's composer overflows the stack of C."""
    level = 0
    for event in yaml.parse(text, Loader=_QuickJsonLikeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        if level > MOST_LEVELS:
            raise _too_deep(source)


def _mapping_without_twins(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if key_node.value in seen and isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
            )
        if isinstance(key_node, yaml.ScalarNode):
            seen.add(key_node.value)
    loader.flatten_mapping(node)
    constructed: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return constructed


for _loader in (_JsonLikeLoader, _QuickJsonLikeLoader):
    _loader.add_constructor("tag:yaml.org,2002:map", _mapping_without_twins)
    _loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
    _loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
    _loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9]\d*)\Z"), list("-0123456789"))
    _loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"-?(?:0|[1-9]\d*)\.\d+(?:[eE][-+]?\d+)?\Z"), list("-0123456789")
    )
    _loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
