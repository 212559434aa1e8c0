"""The ARM expression language, evaluated locally: `[concat(parameters('prefix'), '-image')]`.

What needs Azure, as `reference`, is an error that says so, or an unknown value where those are allowed. Errors show the
expression, never the values in it, since those may be secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.image_template.expressions.function_table import FUNCTIONS, KEEPS_UNKNOWN, NEEDS_AZURE, NEEDS_VALUE
from airflow_aib.image_template.expressions.functions.dates import SHORT_ISO, formatted_moment
from airflow_aib.image_template.expressions.functions.resource_ids import (
    extension_resource_id,
    resource_id,
    tenant_resource_id,
)
from airflow_aib.image_template.expressions.functions.values import kind_of, spelling_in
from airflow_aib.image_template.expressions.limits import (
    Budget,
    ExpressionError,
    UnsupportedFunctionError,
    size_of,
)
from airflow_aib.image_template.expressions.syntax import called_functions, literal_of, parse_expression, rule_of
from airflow_aib.image_template.unknown import first_unknown, holds_unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Scope(Protocol):
    """Give an expression its surroundings."""

    budget: Budget
    allow_unknown: bool

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

    def moment(self) -> datetime | None:
        """Give the moment of the rendering; None stands for an unknown one."""
        ...

    def copy_index(self, name: str, offset: int) -> Any:
        """Give the index of a copy loop."""
        ...

    def without_value(self, what: str, why: str) -> Any:
        """Refuse what nobody passed, or give an unknown."""
        ...

    def from_azure(self, what: str) -> Any:
        """Refuse what only Azure knows, or give an unknown."""
        ...

    def note_result(self, arguments: list[Any], result: Any) -> None:
        """Take note of what a function has made of its arguments."""
        ...


def evaluate(text: str, scope: Scope) -> Any:
    """Evaluate a bracketed text; what goes wrong is an `ExpressionError`."""
    return _Evaluation(scope).value(parse_expression(text))


class _Evaluation:
    """Walk the parsed expression."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._of_scope: dict[str, Callable[..., Any]] = {
            "parameters": lambda name: scope.parameter(_name(name)),
            "variables": lambda name: scope.variable(_name(name)),
            "resourcegroup": scope.resource_group,
            "subscription": scope.subscription,
            "resourceid": lambda *parts: resource_id(scope.resource_group()["id"], *parts),
            "subscriptionresourceid": lambda *parts: resource_id(scope.subscription()["id"], *parts),
            "extensionresourceid": extension_resource_id,
            "tenantresourceid": tenant_resource_id,
            "copyindex": self._copy_index,
            "utcnow": self._utc_now,
        }

    def value(self, node: Any) -> Any:
        self._scope.budget.enter()
        try:
            return self._of_node(node)
        finally:
            self._scope.budget.leave()

    def _of_node(self, node: Any) -> Any:
        match rule_of(node):
            case "text":
                return literal_of(node)
            case "integer":
                return int(node.children[0])
            case "access":
                return self._reach(*node.children)
            case _:
                name, *arguments = node.children
                return self._call(str(name), [argument for argument in arguments if argument is not None])

    def _call(self, name: str, arguments: list[Any]) -> Any:
        known = name.casefold()
        if known in NEEDS_AZURE or known.startswith("list") or "." in known:
            return self._scope.from_azure(f"{name}()")
        if known in NEEDS_VALUE:
            return self._scope.without_value(f"{name}()", NEEDS_VALUE[known])
        if known == "if":
            return self._choose(arguments)
        function = self._of_scope.get(known) or FUNCTIONS.get(known)
        if function is None:
            raise UnsupportedFunctionError(f"there is no function {name}() here")
        values = [self.value(argument) for argument in arguments]
        missing = first_unknown(values) if self._scope.allow_unknown else None
        if missing and known not in KEEPS_UNKNOWN:
            return missing
        return self._applied(name, function, values, missing)

    def _applied(self, name: str, function: Callable[..., Any], values: list[Any], missing: str | None) -> Any:
        try:
            result = function(*values)
            self._scope.budget.spend(size_of(result))
            self._scope.note_result(values, result)
        except ExpressionError:
            if missing:
                # An unknown array, say, which its text does not show.
                return missing
            raise
        except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
            kinds = ", ".join(kind_of(value) for value in values)
            # `from None`: the cause may quote a secret value.
            raise ExpressionError(f"{name}() cannot take ({kinds}): {type(error).__name__}") from None
        return result

    def _choose(self, arguments: list[Any]) -> Any:
        """Evaluate one branch only, as ARM does."""
        if len(arguments) != 3:  # noqa: PLR2004 - condition, then, else
            raise ExpressionError("if() takes a condition and two values")
        condition = self.value(arguments[0])
        if self._is_unknown(condition):
            return first_unknown(condition)
        if not isinstance(condition, bool):
            raise ExpressionError(f"if() needs a boolean, not {kind_of(condition)}")
        return self.value(arguments[1 if condition else 2])

    def _reach(self, base: Any, *accessors: Any) -> Any:
        """Go from member to member."""
        value = self.value(base)
        for accessor in accessors:
            key = accessor.children[0]
            key = self.value(key) if rule_of(accessor) == "index" else str(key)
            value = self._step(base, value, key)
        return value

    def _step(self, base: Any, owner: Any, key: Any) -> Any:
        if self._is_unknown(key) or (isinstance(owner, str) and self._is_unknown(owner)):
            return first_unknown([owner, key])
        try:
            return _index(owner, key)
        except ExpressionError:
            function = str(base.children[0]) if rule_of(base) == "call" else ""
            if self._scope.allow_unknown and function.casefold() in {"resourcegroup", "subscription"}:
                return self._scope.from_azure(f"{function}().{key}")
            raise

    def _is_unknown(self, value: Any) -> bool:
        return self._scope.allow_unknown and holds_unknown(value)

    def _copy_index(self, name: Any = None, offset: Any = 0) -> Any:
        if name is None and self._scope.allow_unknown:
            # That of a loop around the image template.
            return self._scope.without_value("copyIndex()", "another number in every turn")
        if not isinstance(name, str):
            raise ExpressionError("copyIndex() needs the name of the copy loop, as copyIndex('customize')")
        if isinstance(offset, bool) or not isinstance(offset, int):
            raise ExpressionError(f"copyIndex() takes an integer as offset, not {kind_of(offset)}")
        return self._scope.copy_index(name, offset)

    def _utc_now(self, pattern: Any = SHORT_ISO) -> Any:
        moment = self._scope.moment()
        if moment is None:
            return self._scope.without_value(
                "utcNow()", "another text at every moment, which the command line takes with --now"
            )
        return formatted_moment(moment, pattern)


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
        "extensionresourceid",
        "tenantresourceid",
        "copyindex",
        "utcnow",
    }
)


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"a name must be text, not {kind_of(value)}")
    return value


def _index(owner: Any, index: Any) -> Any:
    if isinstance(index, str):
        return _member(owner, index)
    if not isinstance(owner, list) or not isinstance(index, int) or isinstance(index, bool):
        raise ExpressionError(f"{kind_of(owner)} cannot be indexed with {kind_of(index)}")
    if not 0 <= index < len(owner):
        raise ExpressionError(f"index {index} is outside a list of {len(owner)}")
    return owner[index]


def _member(owner: Any, name: str) -> Any:
    """Look a member up; ARM's names ignore letter case."""
    if not isinstance(owner, dict):
        raise ExpressionError(f"there is no member {name!r} in {kind_of(owner)}")
    spelling = spelling_in(owner, name)
    if spelling is None:
        raise ExpressionError(f"there is no member {name!r}; there are {', '.join(map(repr, owner)) or 'none'}")
    return owner[spelling]


def is_expression(text: str, *, is_deployment: bool, is_free: bool) -> bool:
    """Tell a bracketed text that is an expression from a shell's test, as `[ -f x ]`.

    In a deployment file ARM takes every bracketed text for an expression. A bare resource never passes ARM's
    template engine: there, brackets around anything but a function call stand for themselves.

    :param is_free: whether brackets may belong to the text at its place
    """
    if is_deployment:
        return True
    called = called_functions(text)
    return bool(called) and (not is_free or called <= KNOWN_FUNCTIONS)
