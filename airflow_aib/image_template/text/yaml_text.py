"""YAML read by JSON's rules, and no further than a document can sensibly go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.text.places import MOST_PLACES
from airflow_aib.image_template.text.unreadable import MOST_LEVELS, broken, too_deep


def parse_yaml(text: str, source: str) -> Any:
    """Read YAML; what JSON does not know is refused."""
    try:
        _refuse_deep_yaml(text, source)
        content = yaml.load(text, Loader=_JsonLikeLoader)  # noqa: S506 - it derives from a safe loader
        return _PlainCopy(source).of(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # `from None`: the cause quotes the line, which may hold a secret.
        raise broken(text, source, error.problem or "it is no YAML", line, column) from None
    except RecursionError as error:
        raise too_deep(source) from error
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ImageTemplateReadError(
            f"{source} cannot be read: {error}", hint="Use what JSON knows, and no anchor inside itself.", source=source
        ) from error


def compose_yaml(text: str) -> yaml.Node:
    """Give the nodes of a text that has been parsed before."""
    return yaml.compose(text, Loader=_JsonLikeLoader) or yaml.ScalarNode("", "")


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


class _JsonLikeLoader(_Merging, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's, where PyYAML was built with it
    """Read YAML by JSON's rules: no dates, no `yes` and `off`, no octal numbers, no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to replace the table


def _refuse_deep_yaml(text: str, source: str) -> None:
    """Count levels by the parser's events, which need no recursion; libyaml's composer overflows the stack of C."""
    level = 0
    for event in yaml.parse(text, Loader=_JsonLikeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        if level > MOST_LEVELS:
            raise too_deep(source)


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


_JsonLikeLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_twins)
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9]\d*)\Z"), list("-0123456789"))
_JsonLikeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"-?(?:0|[1-9]\d*)\.\d+(?:[eE][-+]?\d+)?\Z"), list("-0123456789")
)
_JsonLikeLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
