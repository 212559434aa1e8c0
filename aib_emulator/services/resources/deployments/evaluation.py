"""Evaluates the expressions of a document in a scope."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aib_emulator.services.resources.deployments.functions import FUNCTIONS, LARGEST_LIST
from aib_emulator.services.resources.deployments.syntax import (
    ExpressionError,
    Invoke,
    Literal,
    Node,
    invocations,
    is_expression,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COPY = "copy"
SEE_FUNCTIONS = "Please see https://aka.ms/arm-functions for usage details."


@dataclass(frozen=True)
class CopiedVariable:
    """Stand for a variable that a copy loop makes.

    :param loop: with `name`, `count` and `input`
    """

    loop: Mapping[str, Any]


@dataclass(frozen=True)
class Scope:
    """Know what expressions may ask for.

    :param parameters: values, by lower-case name
    :param variables: documents of values, by lower-case name
    :param functions: of this deployment, by lower-case name: `resourceId`, `reference` and the like
    :param copy_indexes: where each copy loop stands, by lower-case name; the innermost is also known as the empty name
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    copy_indexes: Mapping[str, int] = field(default_factory=dict)

    def in_loop(self, name: str, index: int) -> Scope:
        """Return the scope of one turn of a copy loop."""
        return replace(self, copy_indexes={**self.copy_indexes, name.lower(): index, "": index})

    def with_functions(self, functions: Mapping[str, Callable[..., Any]]) -> Scope:
        """Return a scope that knows further functions."""
        return replace(self, functions={**self.functions, **functions})

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter."""
        if name.lower() not in self.parameters:
            raise ExpressionError(
                f"The template parameter '{name}' is not found. "
                "Please see https://aka.ms/arm-syntax-parameters for usage details."
            )
        return self.parameters[name.lower()]

    def variable(self, name: str) -> Any:
        """Return the value of a variable, evaluated anew."""
        if name.lower() not in self.variables:
            raise ExpressionError(
                f"The template variable '{name}' is not found. "
                "Please see https://aka.ms/arm-syntax-variables for usage details."
            )
        written = self.variables[name.lower()]
        try:
            if isinstance(written, CopiedVariable):
                return [evaluate(written.loop.get("input"), turn) for turn in turns(written.loop, self)]
            return evaluate(written, self)
        except RecursionError as error:
            raise ExpressionError(f"The template variable '{name}' depends on itself.") from error

    def copy_index(self, name: Any = "", offset: int = 0) -> int:
        """Return where a copy loop stands; the innermost one when no name is given."""
        if isinstance(name, int):
            name, offset = "", name
        if name.lower() not in self.copy_indexes:
            raise ExpressionError(
                "The template function 'copyIndex' is not expected at this location. The function can only be used in "
                "a resource with copy specified. Please see https://aka.ms/arm-copy for usage details."
            )
        return self.copy_indexes[name.lower()] + offset


def evaluate(value: Any, scope: Scope) -> Any:
    """Return a part of the document with every expression in it replaced by its value."""
    if isinstance(value, str):
        return _text(value, scope)
    if isinstance(value, list):
        return [evaluate(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    loops = _loops(value)
    plain = {name: item for name, item in value.items() if not loops or name.lower() != COPY}
    found = {_text(name, scope): evaluate(item, scope) for name, item in plain.items()}
    for loop in loops:
        found[loop["name"]] = [evaluate(loop["input"], turn) for turn in turns(loop, scope)]
    return found


def turns(loop: Mapping[str, Any], scope: Scope) -> list[Scope]:
    """Return the scope of each turn of a copy loop."""
    count = evaluate(loop.get("count"), scope)
    if not isinstance(count, int) or not 0 <= count <= LARGEST_LIST:
        raise ExpressionError(f"The copy count '{count}' must be an integer between 0 and {LARGEST_LIST}.")
    return [scope.in_loop(str(loop["name"]), index) for index in range(count)]


def expressions(value: Any) -> Iterator[Node]:
    """Yield every expression in a part of the document."""
    if isinstance(value, str) and is_expression(value):
        yield parse(value)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from expressions(item)


def questions(value: Any, scope: Scope, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, list[Any]]]:
    """Yield name and arguments of the wanted functions that a part of the document calls.

    Calls without arguments are left out, and those whose arguments cannot be known beforehand.
    """
    for node in expressions(value):
        for call in invocations(node):
            if not call.arguments or not is_wanted(call.name.lower()):
                continue
            try:
                yield call.name.lower(), [evaluate_node(argument, scope) for argument in call.arguments]
            except ExpressionError:
                continue


def evaluate_node(node: Node, scope: Scope) -> Any:
    """Return the value of an expression."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Invoke):
        return _invoke(node, scope)
    return _member(evaluate_node(node.whole, scope), evaluate_node(node.key, scope))


def _text(text: str, scope: Scope) -> Any:
    if is_expression(text):
        return evaluate_node(parse(text), scope)
    return text[1:] if text.startswith("[[") else text


def _loops(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the copy loops of properties; the one of a resource is an object, and another's affair."""
    loops = next((item for name, item in value.items() if name.lower() == COPY), None)
    if not isinstance(loops, list):
        return []
    if not all(isinstance(loop, dict) and {"name", "input"} <= loop.keys() for loop in loops):
        raise ExpressionError("A 'copy' of properties is a list of objects with 'name', 'count' and 'input'.")
    return loops


def _invoke(node: Invoke, scope: Scope) -> Any:
    name = node.name.lower()
    if name == "if":
        condition, *branches = node.arguments
        chosen = branches[0] if evaluate_node(condition, scope) else branches[-1]
        return evaluate_node(chosen, scope)
    own = {"parameters": scope.parameter, "variables": scope.variable, "copyindex": scope.copy_index}
    function = own.get(name) or scope.functions.get(name) or FUNCTIONS.get(name)
    if function is None:
        raise ExpressionError(f"The template function '{node.name}' is not valid. {SEE_FUNCTIONS}")
    arguments = [evaluate_node(argument, scope) for argument in node.arguments]
    try:
        return function(*arguments)
    except ExpressionError:
        raise
    except (TypeError, ValueError, AttributeError, IndexError, KeyError, ZeroDivisionError) as error:
        raise ExpressionError(
            f"Unable to evaluate template language function '{node.name}': its arguments do not fit. {SEE_FUNCTIONS}"
        ) from error


def _member(whole: Any, key: Any) -> Any:
    if isinstance(whole, list) and isinstance(key, int):
        if not -1 < key < len(whole):
            raise ExpressionError(f"The language expression property array index '{key}' is out of bounds.")
        return whole[key]
    if isinstance(whole, dict):
        for name, value in whole.items():
            if name.lower() == str(key).lower():
                return value
        available = ", ".join(whole)
        raise ExpressionError(
            f"The language expression property '{key}' doesn't exist, available properties are '{available}'."
        )
    raise ExpressionError(f"The language expression property '{key}' can't be evaluated.")
