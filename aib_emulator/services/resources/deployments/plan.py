"""What a document asks for: its resources with their ids, and which waits for which."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aib_emulator.services.resources.deployments.evaluation import COPY, Scope, evaluate, questions, turns
from aib_emulator.services.resources.deployments.inputs import invalid_document
from aib_emulator.services.resources.deployments.place import GROUPS, Place, id_below
from aib_emulator.services.resources.deployments.syntax import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DEPLOYMENTS = "microsoft.resources/deployments"
NOT_SENT = {
    "apiversion",
    "comments",
    "condition",
    "copy",
    "dependson",
    "existing",
    "name",
    "resourcegroup",
    "resources",
    "scope",
    "subscriptionid",
    "type",
}
"""Members that say how to deploy, and are no part of the resource."""


@dataclass(frozen=True)
class PlannedResource:
    """Describe one resource to put.

    :param resource_id: where
    :param resource_type: such as `Microsoft.Compute/galleries`
    :param name: with the names of what it is a part of
    :param api_version: with which
    :param members: the document's members of the resource, not evaluated yet
    :param scope: what their expressions may ask for
    :param labels: by what else the document may call it, in lower case
    :param depends_on: ids that must be there before, in lower case
    """

    resource_id: str
    resource_type: str
    name: str
    api_version: str
    members: Mapping[str, Any]
    scope: Scope
    labels: frozenset[str] = frozenset()
    depends_on: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """What equal ids have in common."""
        return self.resource_id.lower()

    @property
    def sent(self) -> dict[str, Any]:
        """Those members that are the resource itself."""
        return {name: value for name, value in self.members.items() if name.lower() not in NOT_SENT}

    def location(self) -> str | None:
        """Return where it shall lie; None when it does not say so, or when only the deployment itself will know."""
        try:
            found = evaluate(self.members.get("location"), self.scope)
        except ExpressionError:
            return None
        return found if isinstance(found, str) else None

    def body(self, scope: Scope) -> dict[str, Any]:
        """Return what to send."""
        return {name: self._member(name, value, scope) for name, value in self.sent.items()}

    def _member(self, name: str, value: Any, scope: Scope) -> Any:
        if self.resource_type.lower() != DEPLOYMENTS or name.lower() != "properties" or not _is_inner(value):
            return evaluate(value, scope)
        # Its expressions are for the nested deployment to evaluate.
        return {part: item if part == "template" else evaluate(item, scope) for part, item in value.items()}


@dataclass(frozen=True)
class Plan:
    """List what a document asks for.

    :param resources: to put, none before what it depends on
    :param existing: ids of resources that the document only refers to, by lower-case label
    """

    resources: tuple[PlannedResource, ...]
    existing: Mapping[str, str] = field(default_factory=dict)

    def find(self, called: str) -> str:
        """Return the id of what the document calls by an id, a name or a symbolic name."""
        for resource in self.resources:
            if called.lower() == resource.key or called.lower() in resource.labels:
                return resource.resource_id
        return self.existing.get(called.lower(), called)


def plan(document: Mapping[str, Any], scope: Scope, place: Place) -> Plan:
    """Return what a document asks for, or refuse it."""
    written = [_located(*entry, place) for entry in _entries(document.get("resources") or [], scope)]
    _check_unique(written)
    existing = [resource for resource in written if resource.members.get("existing") is True]
    whole = Plan(
        tuple(resource for resource in written if resource not in existing),
        {label: resource.resource_id for resource in existing for label in resource.labels},
    )
    waiting = [_waiting(resource, whole) for resource in whole.resources]
    taken = [resource for resource in waiting if _evaluated(resource.members.get("condition", True), resource.scope)]
    return replace(whole, resources=tuple(_ordered(taken)))


def _entries(
    resources: Any, scope: Scope, parent_type: str = "", parent_name: str = ""
) -> Iterator[tuple[str, dict[str, Any], Scope]]:
    """Yield symbolic name, members and scope of each resource: copies and parts written inside others as well."""
    named = resources.items() if isinstance(resources, dict) else (("", members) for members in resources)
    for symbol, members in named:
        loop = members.get(COPY)
        for turn in [scope] if loop is None else _turns(loop, scope):
            whole = {
                **members,
                "type": f"{parent_type}{members.get('type', '')}",
                "name": f"{parent_name}{_evaluated(members.get('name', ''), turn)}",
            }
            yield symbol, whole, turn
            yield from _entries(members.get("resources") or [], turn, f"{whole['type']}/", f"{whole['name']}/")


def _located(symbol: str, members: dict[str, Any], scope: Scope, place: Place) -> PlannedResource:
    resource_type, name = members["type"], members["name"]
    around = _scope_path(members, scope, place)
    try:
        resource_id = id_below(around, resource_type, name)
    except ExpressionError as error:
        raise invalid_document(
            f"The template resource '{name}' for type '{resource_type}' has incorrect segment lengths. A nested "
            "resource type must have identical number of segments as its resource name. A root resource type must have "
            "segment length one greater than its resource name. "
            "Please see https://aka.ms/arm-syntax-resources for usage details."
        ) from error
    loop = members.get(COPY) or {}
    labels = {symbol, name, f"{resource_type}/{name}", loop.get("name", "")}
    if symbol and loop:
        labels.add(f"{symbol}[{scope.copy_index()}]")
    return PlannedResource(
        resource_id=resource_id,
        resource_type=resource_type,
        name=name,
        api_version=str(_evaluated(members.get("apiVersion", ""), scope)),
        members=members,
        scope=scope,
        labels=frozenset(label.lower() for label in labels if label),
    )


def _scope_path(members: Mapping[str, Any], scope: Scope, place: Place) -> str:
    """Return the id of what the resource lies in, or on."""
    given = str(_evaluated(members.get("scope", ""), scope))
    if given.startswith("/"):
        return given
    if given:
        resource_type, names = _relative(given)
        return id_below(place.path, resource_type, names)
    subscription_id = _evaluated(members.get("subscriptionId", place.subscription_id), scope)
    group = _evaluated(members.get("resourceGroup", place.resource_group_name), scope)
    if str(members["type"]).lower() == GROUPS:
        group = None
    return Place(subscription_id, group).path


def _relative(text: str) -> tuple[str, str]:
    """Split `Microsoft.Storage/storageAccounts/one` into type and name."""
    namespace, *rest = text.split("/")
    return "/".join((namespace, *rest[::2])), "/".join(rest[1::2])


def _waiting(resource: PlannedResource, whole: Plan) -> PlannedResource:
    """Return the resource with what it depends on: as written, and for what its expressions ask."""
    named = _evaluated(resource.members.get("dependsOn") or [], resource.scope)
    needed: set[str] = set()
    if not isinstance(named, list) or not all(isinstance(called, str) for called in named):
        raise invalid_document(f"The 'dependsOn' of the template resource '{resource.name}' is not a list of texts.")
    for called in named:
        found = [
            other.key for other in whole.resources if called.lower() == other.key or called.lower() in other.labels
        ]
        if not found and called.lower() not in whole.existing:
            raise invalid_document(
                f"The resource '{called}' is not defined in the template. "
                "Please see https://aka.ms/arm-syntax for usage details."
            )
        needed.update(found)
    needed.update(whole.find(called).lower() for called in _asked_for(resource))
    return replace(resource, depends_on=frozenset(needed - {resource.key}))


def _asked_for(resource: PlannedResource) -> list[str]:
    """Return what the expressions of a resource call those that they need to know."""
    try:
        found = list(questions(dict(resource.sent), resource.scope, asks_for_resource))
    except ExpressionError as error:
        raise invalid_document(str(error)) from error
    return [str(arguments[0]) for _, arguments in found]


def asks_for_resource(name: str) -> bool:
    """Whether a function, in lower case, needs to know a resource as it is."""
    return name == "reference" or name.startswith("list")


def _ordered(resources: Iterable[PlannedResource]) -> Iterator[PlannedResource]:
    """Yield the resources, none before what it depends on."""
    left = {resource.key: resource for resource in resources}
    while left:
        ready = [resource for resource in left.values() if not resource.depends_on & left.keys()]
        if not ready:
            raise invalid_document(
                f"Circular dependency detected on resource: '{next(iter(left.values())).resource_id}'. "
                "Please see https://aka.ms/arm-syntax-resources for usage details."
            )
        for resource in ready:
            yield left.pop(resource.key)


def _check_unique(resources: Iterable[PlannedResource]) -> None:
    seen: set[str] = set()
    for resource in resources:
        if resource.key in seen:
            raise invalid_document(
                f"The resource '{resource.resource_id}' is defined multiple times in a template. "
                "Please see https://aka.ms/arm-syntax-resources for usage details."
            )
        seen.add(resource.key)


def _turns(loop: Mapping[str, Any], scope: Scope) -> list[Scope]:
    try:
        return turns(loop, scope)
    except ExpressionError as error:
        raise invalid_document(str(error)) from error


def _evaluated(value: Any, scope: Scope) -> Any:
    try:
        return evaluate(value, scope)
    except ExpressionError as error:
        raise invalid_document(str(error)) from error


def _is_inner(properties: Any) -> bool:
    options = properties.get("expressionEvaluationOptions") or {} if isinstance(properties, dict) else {}
    return str(options.get("scope", "")).lower() == "inner"
