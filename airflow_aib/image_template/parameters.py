"""The values that fill a document: what the caller passes, what the document declares, and where it will live."""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.expression_functions import ExpressionError, kind_of
from airflow_aib.image_template.expressions import evaluate, is_bracketed, is_escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument

# Shorter texts stand everywhere: masking them would only garble messages.
SHORTEST_SECRET = 4


@dataclass(frozen=True)
class RenderContext:
    """Say where the image template will live.

    :param subscription_id: of the image template
    :param resource_group_name: of the image template
    :param location: region, used where the document names none; also what `resourceGroup().location` gives
    """

    subscription_id: str
    resource_group_name: str
    location: str | None = None

    @property
    def resource_group_id(self) -> str:
        """Resource id of the group."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group_name}"

    def given_names(self) -> dict[str, str]:
        """Give the values that need not be passed; `rgName` and `region` are the words of Microsoft's samples."""
        names = {
            "subscriptionId": self.subscription_id,
            "resourceGroupName": self.resource_group_name,
            "rgName": self.resource_group_name,
        }
        if self.location:
            names |= {"location": self.location, "region": self.location}
        return names


class Values:
    """Look values up by name, as an expression's `Scope`; names ignore letter case, as ARM's do.

    :param document: whose declarations and variables count
    :param parameters: what the caller passes
    :param context: where the image template will live
    """

    def __init__(
        self, document: ImageTemplateDocument, parameters: Mapping[str, object], context: RenderContext
    ) -> None:
        self._source = document.source
        self._context = context
        self._given = {name.casefold(): value for name, value in parameters.items()}
        self._given_spelling = {name.casefold(): name for name in parameters}
        self._from_context = {name.casefold(): value for name, value in context.given_names().items()}
        self._declared = {
            name.casefold(): (name, declaration)
            for name, declaration in document.parameters.items()
            if isinstance(declaration, dict)
        }
        self._variables = {name.casefold(): value for name, value in document.variables.items()}
        self._open: list[str] = []
        self._used: set[str] = set()
        self._refuse_wrong_values()

    @property
    def secrets(self) -> frozenset[str]:
        """The texts inside all secure parameters."""
        return _secure_texts(dict(self._declared.values()), self._given)

    def is_known(self, name: str) -> bool:
        """Whether the name has a value."""
        key = name.casefold()
        return key in self._given or key in self._from_context or self._default_of(key) is not None

    def default_of(self, name: str) -> Any:
        """Give the declared default, not evaluated."""
        return (self._default_of(name.casefold()) or [None])[0]

    def is_given(self, name: str) -> bool:
        """Whether the caller passed it."""
        return name.casefold() in self._given

    def unused(self) -> list[str]:
        """Give the names that were passed and that nothing asked for."""
        return [
            spelling
            for key, spelling in self._given_spelling.items()
            if key not in self._used and key not in self._declared
        ]

    def raw_variable(self, name: str) -> Any:
        """Give a variable as written."""
        return self._variables.get(name.casefold())

    def parameter(self, name: str) -> Any:
        """Give a parameter's value: passed, else the default, else from the context."""
        key = name.casefold()
        self._used.add(key)
        spelling, declaration = self._declared.get(key, (name, {}))
        if key in self._given:
            return _coerce(spelling, self._given[key], declaration)
        if (default := self._default_of(key)) is not None:
            return self._guarded(f"parameters('{spelling}')", default[0])
        if key in self._from_context:
            return self._from_context[key]
        raise ExpressionError(f"parameter {name!r} has no value")

    def placeholder(self, name: str) -> Any:
        """Give the value of `<name>`."""
        return self.parameter(name)

    def variable(self, name: str) -> Any:
        """Give a variable's value, itself evaluated."""
        key = name.casefold()
        if key not in self._variables:
            raise ExpressionError(f"there is no variable {name!r}")
        return self._guarded(f"variables('{name}')", self._variables[key])

    def resource_group(self) -> dict[str, Any]:
        """Give what `resourceGroup()` gives, as far as it is known."""
        known = {
            "id": self._context.resource_group_id,
            "name": self._context.resource_group_name,
            "type": "Microsoft.Resources/resourceGroups",
        }
        return known | ({"location": self._context.location} if self._context.location else {})

    def subscription(self) -> dict[str, Any]:
        """Give what `subscription()` gives, as far as it is known."""
        subscription_id = self._context.subscription_id
        return {"id": f"/subscriptions/{subscription_id}", "subscriptionId": subscription_id}

    def evaluated(self, value: Any) -> Any:
        """Evaluate every expression inside a value."""
        if isinstance(value, dict):
            return {key: self.evaluated(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.evaluated(item) for item in value]
        if isinstance(value, str) and is_bracketed(value):
            return evaluate(value, self)
        return value[1:] if isinstance(value, str) and is_escaped(value) else value

    def _guarded(self, what: str, value: Any) -> Any:
        if what in self._open:
            raise ExpressionError(f"{' -> '.join([*self._open, what])} goes in a circle")
        self._open.append(what)
        try:
            return self.evaluated(value)
        finally:
            self._open.pop()

    def _default_of(self, key: str) -> list[Any] | None:
        """Give the default in a list of its own, since a default may be null."""
        _, declaration = self._declared.get(key, ("", {}))
        return [declaration["defaultValue"]] if "defaultValue" in declaration else None

    def _refuse_wrong_values(self) -> None:
        problems = []
        for key, (name, declaration) in self._declared.items():
            if key in self._given:
                try:
                    _coerce(name, self._given[key], declaration)
                except ExpressionError as error:
                    problems.append(str(error))
        if problems:
            raise ImageTemplateRenderError(
                f"{self._source}: {'; '.join(problems)}", hint="Correct the parameters of the task."
            )


def secure_texts(document: ImageTemplateDocument, parameters: Mapping[str, object]) -> frozenset[str]:
    """Give the texts inside all secure parameters of a document, whether it can be filled in or not.

    :param parameters: what the caller passes
    """
    return _secure_texts(document.parameters, {name.casefold(): value for name, value in parameters.items()})


def _secure_texts(declared: Mapping[str, Any], given: Mapping[str, object]) -> frozenset[str]:
    found: set[str] = set()
    for name, declaration in declared.items():
        if isinstance(declaration, dict) and _is_secure(declaration):
            found.update(_texts(given.get(name.casefold())))
            found.update(_texts(declaration.get("defaultValue")))
    return frozenset(text for text in found if len(text) >= SHORTEST_SECRET)


def _is_secure(declaration: Mapping[str, Any]) -> bool:
    return str(declaration.get("type", "")).casefold() in {"securestring", "secureobject"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _coerce(name: str, value: Any, declaration: Mapping[str, Any]) -> Any:
    """Bring a value to the declared type: Airflow's templates hand everything over as text."""
    declared = str(declaration.get("type", "")).casefold().removeprefix("secure")
    if isinstance(value, str) and declared in _READ_TEXT:
        try:
            value = _READ_TEXT[declared](value)
        except (ValueError, KeyError):
            raise ExpressionError(f"parameter {name!r} must be of type {declared}, which the text is not") from None
    if declared in _TYPES and kind_of(value) != _TYPES[declared]:
        raise ExpressionError(f"parameter {name!r} must be of type {declared}, not {kind_of(value)}")
    _refuse_outside_limits(name, value, declaration)
    return value


_TYPES = {"string": "string", "int": "int", "bool": "bool", "array": "array", "object": "object"}

_READ_TEXT: dict[str, Callable[[str], Any]] = {
    "int": int,
    "bool": lambda text: {"true": True, "false": False}[text.casefold()],
    "array": json.loads,
    "object": json.loads,
}


def _refuse_outside_limits(name: str, value: Any, declaration: Mapping[str, Any]) -> None:
    allowed = declaration.get("allowedValues")
    if isinstance(allowed, list) and value not in allowed:
        raise ExpressionError(f"parameter {name!r} must be one of {', '.join(map(repr, allowed))}")
    size = len(value) if isinstance(value, str | list | dict) else None
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    for limit, measured, is_outside in (
        ("minLength", size, operator.lt),
        ("maxLength", size, operator.gt),
        ("minValue", number, operator.lt),
        ("maxValue", number, operator.gt),
    ):
        bound = declaration.get(limit)
        if isinstance(bound, int) and measured is not None and is_outside(measured, bound):
            raise ExpressionError(f"parameter {name!r} breaks its {limit} of {bound}")
