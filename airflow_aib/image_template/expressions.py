"""The ARM expression language, evaluated locally: `[concat(parameters('prefix'), '-image')]`.

Syntax: function calls, 'text' ('' is a quote), integers, `.member` and `[index]`. What needs Azure, as `reference`,
is an error that says so. Errors show the expression, never the values in it, since those may be secret.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.image_template.expression_functions import (
    FUNCTIONS,
    NEEDS_AZURE,
    NEEDS_VALUE,
    ExpressionError,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Lark, Token, Tree

_GRAMMAR = r"""
?start: value
?value: call
      | TEXT              -> text
      | INTEGER           -> integer
      | value "." NAME    -> member
      | value "[" value "]" -> index
call: NAME "(" [value ("," value)*] ")"

NAME: /[A-Za-z_$][A-Za-z0-9_]*/
TEXT: /'(?:[^']|'')*'/
INTEGER: /-?[0-9]+/

%import common.WS
%ignore WS
"""


class Scope(Protocol):
    """Give an expression its surroundings."""

    def parameter(self, name: str) -> Any:
        """Give a parameter's value."""
        ...

    def variable(self, name: str) -> Any:
        """Give a variable's value, itself evaluated."""
        ...

    def resource_group(self) -> dict[str, Any]:
        """Give what `resourceGroup()` gives."""
        ...

    def subscription(self) -> dict[str, Any]:
        """Give what `subscription()` gives."""
        ...


def is_bracketed(text: str) -> bool:
    """Whether ARM takes the text for an expression."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def is_escaped(text: str) -> bool:
    """Whether the text stands for itself without its first bracket."""
    return text.startswith("[[") and text.endswith("]")


def parse_expression(text: str) -> Tree[Token]:
    """Parse a bracketed text; a wrong one is an `ExpressionError`."""
    from lark.exceptions import UnexpectedInput

    try:
        return _parse(text[1:-1])
    except UnexpectedInput as error:
        is_at_end = getattr(getattr(error, "token", None), "type", None) == "$END"
        # The parser has not seen the opening bracket, which is column 1.
        where = "its end" if is_at_end else f"column {error.column + 1}"
        raise ExpressionError(f"it cannot be read at {where}") from error


def called_functions(text: str) -> frozenset[str]:
    """Give the functions that a bracketed text calls, in lower case; none where it is no expression at all."""
    try:
        return frozenset(name.casefold() for name, _ in calls(parse_expression(text)))
    except ExpressionError:
        return frozenset()


def calls(tree: Tree[Token]) -> Iterator[tuple[str, str | None]]:
    """Give each function that an expression calls, with its first argument where that is a literal text."""
    for call in tree.find_data("call"):
        name, *arguments = call.children
        first = arguments[0] if arguments else None
        literal = _literal(first) if _data(first) == "text" else None
        yield str(name), literal


def evaluate(text: str, scope: Scope) -> Any:
    """Evaluate a bracketed text; what goes wrong is an `ExpressionError`."""
    return _Evaluation(scope).value(parse_expression(text))


@lru_cache(maxsize=1024)
def _parse(expression: str) -> Tree[Token]:
    """Parse once what a document says in many places; nobody changes a tree."""
    return _parser().parse(expression)


@cache
def _parser() -> Lark:
    from lark import Lark as LarkParser

    return LarkParser(_GRAMMAR, parser="lalr")


class _Evaluation:
    """Walk the parsed expression."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._special = {
            "parameters": lambda name: scope.parameter(_name(name)),
            "variables": lambda name: scope.variable(_name(name)),
            "resourcegroup": scope.resource_group,
            "subscription": scope.subscription,
            "resourceid": lambda *parts: _resource_id(scope.resource_group()["id"], parts),
            "subscriptionresourceid": lambda *parts: _resource_id(scope.subscription()["id"], parts),
        }

    def value(self, node: Any) -> Any:
        match _data(node):
            case "text":
                return _literal(node)
            case "integer":
                return int(node.children[0])
            case "member":
                return _member(self.value(node.children[0]), str(node.children[1]))
            case "index":
                return _index(self.value(node.children[0]), self.value(node.children[1]))
            case _:
                name, *arguments = node.children
                return self._call(str(name), [argument for argument in arguments if argument is not None])

    def _call(self, name: str, arguments: list[Any]) -> Any:
        known = name.casefold()
        if known in NEEDS_AZURE or known.startswith("list"):
            raise ExpressionError(f"{name}() needs Azure; pass the value as a parameter instead")
        if known in NEEDS_VALUE:
            raise ExpressionError(f"{name}() is {NEEDS_VALUE[known]}; pass its value as a parameter instead")
        if known == "if":
            return self._choose(arguments)
        function = self._special.get(known) or FUNCTIONS.get(known)
        if function is None:
            raise ExpressionError(f"there is no function {name}() here")
        values = [self.value(argument) for argument in arguments]
        try:
            return function(*values)  # type: ignore[operator]  # the tables hold callables of any arity
        except ExpressionError:
            raise
        except (TypeError, ValueError, IndexError, KeyError) as error:
            kinds = ", ".join(kind_of(value) for value in values)
            # `from None`: the cause may quote a secret value.
            raise ExpressionError(f"{name}() cannot take ({kinds}): {type(error).__name__}") from None

    def _choose(self, arguments: list[Any]) -> Any:
        """Evaluate one branch only, as ARM does."""
        if len(arguments) != 3:  # noqa: PLR2004 - condition, then, else
            raise ExpressionError("if() takes a condition and two values")
        condition = self.value(arguments[0])
        if not isinstance(condition, bool):
            raise ExpressionError(f"if() needs a boolean, not {kind_of(condition)}")
        return self.value(arguments[1 if condition else 2])


KNOWN_FUNCTIONS = (
    frozenset(FUNCTIONS)
    | NEEDS_AZURE
    | frozenset(NEEDS_VALUE)
    | {
        "if",
        "parameters",
        "variables",
        "resourcegroup",
        "subscription",
        "resourceid",
        "subscriptionresourceid",
    }
)


def _data(node: Any) -> str | None:
    return getattr(node, "data", None)


def _literal(node: Any) -> str:
    return str(node.children[0])[1:-1].replace("''", "'")


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"a name must be text, not {kind_of(value)}")
    return value


def _member(owner: Any, name: str) -> Any:
    """Look a member up; ARM's names ignore letter case."""
    if not isinstance(owner, dict):
        raise ExpressionError(f"there is no member {name!r} in {kind_of(owner)}")
    if name in owner:
        return owner[name]
    for key, value in owner.items():
        if key.casefold() == name.casefold():
            return value
    raise ExpressionError(f"there is no member {name!r}; there are {', '.join(map(repr, owner)) or 'none'}")


def _index(owner: Any, index: Any) -> Any:
    if isinstance(index, str):
        return _member(owner, index)
    if not isinstance(owner, list) or not isinstance(index, int) or isinstance(index, bool):
        raise ExpressionError(f"{kind_of(owner)} cannot be indexed with {kind_of(index)}")
    if not 0 <= index < len(owner):
        raise ExpressionError(f"index {index} is outside a list of {len(owner)}")
    return owner[index]


def _resource_id(base: str, parts: tuple[Any, ...]) -> str:
    """Build a resource id of the deployment's own scope: type, then one name per segment of the type."""
    texts = [_name(part) for part in parts]
    # Subscription and resource group may stand before the type, which is the first with a slash and a dot before it.
    at = next((i for i, text in enumerate(texts) if "/" in text and "." in text.partition("/")[0]), None)
    if at is None:
        raise ExpressionError("resourceId() needs a type such as 'Microsoft.Compute/galleries'")
    provider, *types = texts[at].split("/")
    names = texts[at + 1 :]
    if len(types) != len(names):
        raise ExpressionError(f"resourceId() needs {len(types)} names for {texts[at]!r} and has {len(names)}")
    pairs = "/".join(f"{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"{_other_scope(base, texts[:at])}/providers/{provider}/{pairs}"


def _other_scope(base: str, before: list[str]) -> str:
    _, _, subscription_id, *rest = base.split("/")
    match before:
        case []:
            return base
        case [one] if rest:
            return f"/subscriptions/{subscription_id}/resourceGroups/{one}"
        case [one]:
            return f"/subscriptions/{one}"
        case [one, two] if rest:
            return f"/subscriptions/{one}/resourceGroups/{two}"
        case _:
            raise ExpressionError("resourceId() has too many names before its type")
