"""The values that fill a document: what the caller passes, what the document declares, and where it will live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.expressions.copy_loops import CopyLoop, members_of, unfolded
from airflow_aib.image_template.expressions.evaluation import evaluate
from airflow_aib.image_template.expressions.limits import Budget, ExpressionError, is_too_deep
from airflow_aib.image_template.expressions.syntax import is_bracketed, is_escaped
from airflow_aib.image_template.parameters_file import KeyVaultReference
from airflow_aib.image_template.pointers import child
from airflow_aib.image_template.unknown import Unknowns, holds_unknown, is_unknown
from airflow_aib.image_template.values.parameter_types import coerced, is_secure, wrong_default
from airflow_aib.image_template.values.secret_texts import SecretTexts, texts_in
from airflow_aib.secret_patterns import SHORTEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.finding import Finding


@dataclass(frozen=True)
class RenderContext:
    """Say where the image template will live.

    :param subscription_id: of the image template
    :param resource_group_name: of the image template
    :param location: region, used where the document names none; also what `resourceGroup().location` gives
    :param now: what `utcNow()` writes, with its time zone; without it, `utcNow()` has no value
    """

    subscription_id: str
    resource_group_name: str
    location: str | None = None
    now: datetime | None = None

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
    :param allow_unknown: whether what has no value is an unknown instead of an error
    """

    def __init__(
        self,
        document: ImageTemplateDocument,
        parameters: Mapping[str, object],
        context: RenderContext,
        *,
        allow_unknown: bool = False,
    ) -> None:
        self.allow_unknown = allow_unknown
        self.budget = Budget()
        # Where in the document the walk is, and in which copy loops.
        self.path = ""
        self.indexes: dict[str, int] = {}
        self._unknowns = Unknowns()
        self._missing: dict[str, str] = {}
        self._wrong_defaults: dict[str, Finding] = {}
        self._evaluated: dict[str, Any] = {}
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
        self._secret_texts = SecretTexts(_secure_texts(dict(self._declared.values()), self._given))
        self._open: list[str] = []
        self._used: set[str] = set()
        self._refuse_depth(document.body, document.variables, document.parameters, dict(parameters))
        self._variables = self._name_variables(document.variables)
        self._refuse_wrong_values()

    @property
    def secrets(self) -> frozenset[str]:
        """The texts inside all secure parameters, and what has been made of them so far."""
        return self._secret_texts.all

    def note_result(self, arguments: list[Any], result: Any) -> None:
        """Take for secret what a function has made of a secret."""
        self._secret_texts.note(arguments, result)

    @property
    def unknown_findings(self) -> tuple[Finding, ...]:
        """One warning for each unknown that was asked for, and for each default that cannot be one."""
        return (*self._unknowns.findings, *self._wrong_defaults.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """The names that were asked for and that nobody passed, where unknowns are allowed."""
        return tuple(self._missing.values())

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
        """Give a variable as written; of a copy loop, what it is made from."""
        value = self._variables.get(name.casefold())
        return [value.count, value.input] if isinstance(value, CopyLoop) else value

    def parameter(self, name: str) -> Any:
        """Give a parameter's value: passed, else the default, else from the context."""
        return self._value_of(name, "parameter {!r}")

    def _value_of(self, name: str, called: str) -> Any:
        key = name.casefold()
        self._used.add(key)
        spelling, declaration = self._declared.get(key, (name, {}))
        if key in self._given:
            return self._given_value(spelling, self._given[key], declaration)
        if (default := self._default_of(key)) is not None:
            return self._default_value(spelling, default[0], declaration)
        if key in self._from_context:
            return self._from_context[key]
        if self.allow_unknown:
            self._missing.setdefault(key, spelling)
            return self._unknowns.without_value(spelling, called.format(spelling), self.path)
        raise ExpressionError(f"parameter {name!r} has no value")

    def _given_value(self, name: str, value: Any, declaration: Mapping[str, Any]) -> Any:
        if not self._is_left_open(value):
            return coerced(name, value, declaration)
        if not isinstance(value, KeyVaultReference):
            return value
        if self.allow_unknown:
            return self._unknowns.from_azure(name, f"the secret that parameter {name!r} refers to", self.path)
        raise ExpressionError(
            f"parameter {name!r} refers to secret {value.secret_name!r} of a Key Vault, into which only ARM's own "
            "deployments look; "
            "pass its value in another way"
        )

    def _default_value(self, name: str, default: Any, declaration: Mapping[str, Any]) -> Any:
        value = self._once(f"parameters('{name}')", default)
        if self.allow_unknown and holds_unknown(value):
            return value
        try:
            return coerced(name, value, declaration)
        except ExpressionError as error:
            problem = f"the default of {error}"
            if not self.allow_unknown:
                raise ExpressionError(problem) from None
            # Whoever submits it may pass another value.
            self._wrong_defaults.setdefault(name, wrong_default(problem, self.path))
            return value

    def _is_left_open(self, value: Any) -> bool:
        """Whether a value that was passed has no type yet."""
        return isinstance(value, KeyVaultReference) or (self.allow_unknown and is_unknown(value))

    def placeholder(self, name: str) -> Any:
        """Give the value of `<name>`."""
        return self._value_of(name, "<{}>")

    def variable(self, name: str) -> Any:
        """Give a variable's value, itself evaluated."""
        key = name.casefold()
        if key not in self._variables:
            raise ExpressionError(f"there is no variable {name!r}")
        return self._once(f"variables('{name}')", self._variables[key])

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

    def moment(self) -> datetime | None:
        """Give the moment of the rendering, which ARM shows to defaults only."""
        if not self._open or not self._open[-1].startswith("parameters"):
            raise ExpressionError("utcNow() may stand in the defaultValue of a parameter only")
        return self._context.now

    def copy_index(self, name: str, offset: int) -> Any:
        """Give the index of a copy loop that is being unfolded."""
        if name.casefold() not in self.indexes:
            if self.allow_unknown:
                return self.without_value(f"copyIndex('{name}')", "another number in every turn")
            raise ExpressionError(f"copyIndex() stands in no copy loop {name!r}")
        return self.indexes[name.casefold()] + offset

    def without_value(self, what: str, why: str) -> Any:
        """Refuse what has no value here, or give an unknown."""
        if self.allow_unknown:
            return self._unknowns.without_value(what, what, self.path)
        raise ExpressionError(f"{what} is {why}; pass its value as a parameter instead")

    def from_azure(self, what: str) -> Any:
        """Refuse what only Azure knows, or give an unknown."""
        if self.allow_unknown:
            return self._unknowns.from_azure(what, f"what {what} gives", self.path)
        raise ExpressionError(f"{what} needs Azure; pass the value as a parameter instead")

    def evaluated(self, value: Any) -> Any:
        """Evaluate every expression inside a value, and unfold its copy loops."""
        self.budget.enter()
        try:
            return self._inside(value)
        finally:
            self.budget.leave()

    def _inside(self, value: Any) -> Any:
        if isinstance(value, CopyLoop):
            return unfolded(value, self.evaluated(value.count), lambda item, _: self.evaluated(item), self)
        if isinstance(value, dict):
            return {name: self.evaluated(item) for name, item in members_of(value)}
        if isinstance(value, list):
            return [self.evaluated(item) for item in value]
        if isinstance(value, str) and is_bracketed(value):
            return evaluate(value, self)
        return value[1:] if isinstance(value, str) and is_escaped(value) else value

    def _once(self, what: str, value: Any) -> Any:
        """Evaluate a variable or a default the first time; what goes in a circle is an error."""
        key = what.casefold()
        if key not in self._evaluated:
            self._evaluated[key] = self._guarded(what, value)
        return self._evaluated[key]

    def _guarded(self, what: str, value: Any) -> Any:
        if what.casefold() in map(str.casefold, self._open):
            raise ExpressionError(f"{' -> '.join([*self._open, what])} goes in a circle")
        # A variable is the same inside and outside copy loops.
        indexes, self.indexes = self.indexes, {}
        self._open.append(what)
        try:
            return self.evaluated(value)
        finally:
            self._open.pop()
            self.indexes = indexes

    def _name_variables(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {name.casefold(): value for name, value in members_of(variables)}
        except ExpressionError as error:
            raise ImageTemplateRenderError(
                f"{self._source}, at /variables/copy: {error}", hint="Correct the copy loop there."
            ) from None

    def _refuse_depth(self, *values: Any) -> None:
        if any(map(is_too_deep, values)):
            raise ImageTemplateRenderError(
                f"{self._source} or its parameters are nested too deeply",
                hint="An image template is a dozen levels deep at most.",
            )

    def _default_of(self, key: str) -> list[Any] | None:
        """Give the default in a list of its own, since a default may be null."""
        _, declaration = self._declared.get(key, ("", {}))
        return [declaration["defaultValue"]] if "defaultValue" in declaration else None

    def _refuse_wrong_values(self) -> None:
        problems: dict[str, str] = {}
        for key, (name, declaration) in self._declared.items():
            if key not in self._given or self._is_left_open(self._given[key]):
                continue
            try:
                coerced(name, self._given[key], declaration)
            except ExpressionError as error:
                problems[name] = str(error)
        if problems:
            said = "; ".join(problems.values())
            raise ImageTemplateRenderError(
                f"{self._source}: {said}",
                hint="Pass another value." if len(problems) == 1 else "Pass other values.",
                problem=said,
                declaration=child("/parameters", next(iter(problems))),
            )


def secure_texts(document: ImageTemplateDocument, parameters: Mapping[str, object]) -> frozenset[str]:
    """Give the texts inside all secure parameters of a document, whether it can be filled in or not.

    :param parameters: what the caller passes
    """
    return _secure_texts(document.parameters, {name.casefold(): value for name, value in parameters.items()})


def _secure_texts(declared: Mapping[str, Any], given: Mapping[str, object]) -> frozenset[str]:
    found: set[str] = set()
    for name, declaration in declared.items():
        if isinstance(declaration, dict) and is_secure(declaration):
            found.update(texts_in(given.get(name.casefold())))
            found.update(texts_in(declaration.get("defaultValue")))
    return frozenset(text for text in found if len(text) >= SHORTEST_SECRET)
