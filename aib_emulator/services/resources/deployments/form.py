"""Whether a document has the form that everything after relies on: objects, lists and texts in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEXTS = ("type", "name", "apiVersion", "scope", "resourceGroup", "subscriptionId")
"""Members of a resource that are texts, when they are there."""
DEMANDED = ("type", "name", "apiVersion")


def check_document(document: Mapping[str, Any]) -> None:
    """Refuse a document of another form, naming the first place."""
    for path, value, kind, word in _places(document):
        if not isinstance(value, kind):
            message = f"Deployment template parse failed: '{path} must be {word}.'."
            raise ArmError(400, "InvalidTemplate", message)


def check_parameters(parameters: Any) -> None:
    """Refuse values that are sent in another form than `{"name": {"value": ...}}`."""
    values = list(parameters.values()) if isinstance(parameters, dict) else [None]
    if not all(isinstance(value, dict) for value in values):
        message = 'The request content was invalid: each parameter is sent as {"value": ...} or {"reference": ...}.'
        raise ArmError(400, "InvalidRequestContent", message)


Place = tuple[str, Any, type | tuple[type, ...], str]
"""Where, what stands there, what has to stand there, and that in words."""


def _places(document: Mapping[str, Any]) -> Iterator[Place]:
    for section in ("parameters", "variables", "outputs"):
        yield _object(section, document.get(section) or {})
    for section in ("parameters", "outputs"):
        for name, value in (document.get(section) or {}).items():
            yield _object(f"{section}.{name}", value)
    for name, declaration in (document.get("parameters") or {}).items():
        yield f"parameters.{name}.allowedValues", declaration.get("allowedValues") or [], list, "a list"
    loops = (document.get("variables") or {}).get("copy")
    for index, loop in enumerate(loops if isinstance(loops, list) else []):
        yield from _loop(f"variables.copy[{index}]", loop)
    for name, output in (document.get("outputs") or {}).items():
        if "copy" in output:
            yield _object(f"outputs.{name}.copy", output["copy"])
    yield from _resources("resources", document.get("resources") or [])


def _resources(path: str, resources: Any) -> Iterator[Place]:
    yield path, resources, (list, dict), "a list or an object of resources"
    named = resources.items() if isinstance(resources, dict) else enumerate(resources)
    for name, resource in named:
        place = f"{path}[{name}]"
        yield _object(place, resource)
        for member in TEXTS:
            if member in DEMANDED or member in resource:
                yield f"{place}.{member}", resource.get(member), str, "a text"
        yield f"{place}.dependsOn", resource.get("dependsOn") or [], (list, str), "a list of texts"
        if "copy" in resource:
            yield from _loop(f"{place}.copy", resource["copy"])
        yield from _resources(f"{place}.resources", resource.get("resources") or [])


def _loop(path: str, loop: Any) -> Iterator[Place]:
    yield _object(path, loop)
    yield f"{path}.name", loop.get("name"), str, "a text"


def _object(path: str, value: Any) -> Place:
    return path, value, dict, "an object"
