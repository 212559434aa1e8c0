"""Text to data: JSON as ARM writes it, with comments, and YAML read by JSON's rules."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.finding import Finding, warning

# A string comes first, so that what looks like a comment inside it stays.
_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.DOTALL)


def parse_text(text: str, source: str) -> tuple[Any, tuple[Finding, ...]]:
    """Read JSON or YAML.

    :param text: the file's content, without byte order mark
    :param source: its name, which tells the format; without a known ending the first character does
    """
    ending = source.casefold().rpartition(".")[2]
    is_json = ending in {"json", "jsonc", "json5"} or (
        ending not in {"yaml", "yml"} and text.lstrip()[:1] in {"{", "/"}
    )
    if is_json:
        return _parse_json(text, source)
    return _parse_yaml(text, source), ()


def _parse_json(text: str, source: str) -> tuple[Any, tuple[Finding, ...]]:
    twice: list[str] = []

    def keep_last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        kept = dict(pairs)
        if len(kept) < len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(name for name in kept if names.count(name) > 1)
        return kept

    def refuse(constant: str) -> Any:
        raise ImageTemplateReadError(
            f"{constant} in {source} is not JSON", hint="Write a number, or text in quotes.", source=source
        )

    try:
        # ARM lets a string span lines, which JSON does not: strict=False.
        content = json.loads(
            _blank(_TRAILING_COMMA, _blank(_COMMENT, text)),
            strict=False,
            object_pairs_hook=keep_last,
            parse_constant=refuse,
        )
    except json.JSONDecodeError as error:
        raise _broken(text, source, error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise ImageTemplateReadError(
            f"{source} is nested too deeply", hint="An image template is a dozen levels deep at most.", source=source
        ) from error
    return content, tuple(
        warning("", "key-twice", f"The key {name!r} stands twice in one object; the last one counts") for name in twice
    )


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Blank out what the pattern finds outside strings, so that every position stays what it was."""
    return pattern.sub(
        lambda match: match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0]),
        text,
    )


def _parse_yaml(text: str, source: str) -> Any:
    try:
        content = yaml.load(text, Loader=_JsonLikeLoader)  # noqa: S506 - derives from SafeLoader
        # Anchors may make one object stand in many places; a plain copy also shows circles and what is not JSON.
        return json.loads(json.dumps(content, allow_nan=False))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _broken(text, source, error.problem or str(error), line, column) from error
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise ImageTemplateReadError(
            f"{source} cannot be read: {error}", hint="Use what JSON knows, and no anchor inside itself.", source=source
        ) from error


def _broken(text: str, source: str, problem: str, line: int, column: int) -> ImageTemplateReadError:
    lines = text.splitlines()
    shown = lines[line - 1].strip()[:120] if line <= len(lines) else ""
    return ImageTemplateReadError(
        f"{source}, line {line}, column {column}: {problem}" + (f", in: {shown}" if shown else ""),
        hint="Correct it there, or just before.",
        source=source,
        line=line,
        column=column,
    )


class _JsonLikeLoader(yaml.SafeLoader):
    """Read YAML by JSON's rules: no dates, no `yes` and `off`, no octal numbers, no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to replace the table


def _mapping_without_twins(loader: _JsonLikeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if key_node.value in seen and isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
            )
        if isinstance(key_node, yaml.ScalarNode):
            seen.add(key_node.value)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_JsonLikeLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_twins)
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9]\d*)\Z"), list("-0123456789"))
_JsonLikeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"-?(?:0|[1-9]\d*)\.\d+(?:[eE][-+]?\d+)?\Z"), list("-0123456789")
)
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
