"""The functions that build resource ids."""

from __future__ import annotations

from typing import Any

from airflow_aib.image_template.expressions.functions.values import text_of
from airflow_aib.image_template.expressions.limits import ExpressionError


def resource_id(base: str, *parts: Any) -> str:
    """Build a resource id of the deployment's own scope: type, then one name per segment of the type.

    :param base: id of the resource group, or of the subscription
    :param parts: subscription and resource group may stand before the type
    """
    texts = [text_of(part) for part in parts]
    # The type is the first with a slash and a dot before it.
    at = next((i for i, text in enumerate(texts) if "/" in text and "." in text.partition("/")[0]), None)
    if at is None:
        raise ExpressionError("resourceId() needs a type such as 'Microsoft.Compute/galleries'")
    return f"{_other_scope(base, texts[:at])}/{_below(texts[at], texts[at + 1 :])}"


def extension_resource_id(owner: Any, resource_type: Any, *names: Any) -> str:
    """Build the id of a resource that extends another one."""
    return f"{text_of(owner)}/{_below(text_of(resource_type), [text_of(name) for name in names])}"


def tenant_resource_id(resource_type: Any, *names: Any) -> str:
    """Build the id of a resource of the whole tenant, as a built-in role is one."""
    return f"/{_below(text_of(resource_type), [text_of(name) for name in names])}"


def _below(resource_type: str, names: list[str]) -> str:
    provider, *types = resource_type.split("/")
    if len(types) != len(names):
        raise ExpressionError(f"resourceId() needs {len(types)} names for {resource_type!r} and has {len(names)}")
    return "/".join(["providers", provider, *(f"{kind}/{name}" for kind, name in zip(types, names, strict=True))])


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
