"""How much is known about a text of an image template: that of a filled-in body, or of one as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.image_template.expressions.evaluation import is_expression
from airflow_aib.image_template.expressions.syntax import is_bracketed, is_escaped
from airflow_aib.image_template.unknown import holds_unknown, is_unknown
from airflow_aib.image_template.values.placeholders import is_free_text, placeholders_in

if TYPE_CHECKING:
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.values.parameters import RenderContext

SUBNET_TYPE = "Microsoft.Network/virtualNetworks/subnets"


class Reading(Protocol):
    """Tell what a text says."""

    def is_text(self, text: str, path: str) -> bool:
        """Whether it is text for sure, and no stand-in for a list or a number."""
        ...

    def is_known(self, text: str, path: str) -> bool:
        """Whether it is known to the last letter."""
        ...

    def subnet_id(self, name: Any, subnet: Any, group: Any) -> str | None:
        """Join the names of a subnet to its resource id; None where that cannot be said.

        :param name: of the virtual network
        :param group: its resource group; empty for that of the image template
        """
        ...


@dataclass(frozen=True)
class FilledIn:
    """Read a body in which all expressions and placeholders are filled in.

    :param context: where the image template will live
    """

    context: RenderContext

    def is_text(self, text: str, path: str) -> bool:  # noqa: ARG002 - the place does not matter here
        """Whether it is more than one unknown value."""
        return not is_unknown(text)

    def is_known(self, text: str, path: str) -> bool:  # noqa: ARG002 - as above
        """Whether no unknown value stands in it."""
        return not holds_unknown(text)

    def subnet_id(self, name: Any, subnet: Any, group: Any) -> str | None:
        """Join the names; those of another type stay, for the checks to report."""
        if not all(isinstance(part, str | int) and not isinstance(part, bool) for part in (name, subnet, group or "")):
            return None
        return _subnet_id(self.context.subscription_id, group or self.context.resource_group_name, name, subnet)


@dataclass(frozen=True)
class Written:
    """Read a document as it was written, where a text may be an expression or a placeholder.

    :param document: which one
    """

    document: ImageTemplateDocument

    def is_text(self, text: str, path: str) -> bool:
        """Whether it is neither an expression nor nothing but a placeholder."""
        return not self._is_expression(text, path) and not _is_one_placeholder(text)

    def is_known(self, text: str, path: str) -> bool:
        """Whether nothing in it is to be filled in."""
        return not self._is_expression(text, path) and not any(placeholders_in(text))

    def subnet_id(self, name: Any, subnet: Any, group: Any) -> str | None:
        """Join the names to an expression, or to an id with placeholders."""
        parts = [group, name, subnet] if group else [name, subnet]
        if not all(isinstance(part, str) for part in parts):
            return None
        has_placeholders = any(any(placeholders_in(part)) for part in parts if not self._is_expression(part))
        has_expressions = any(self._is_expression(part) for part in parts)
        if has_placeholders and has_expressions:
            # An expression cannot hold a placeholder.
            return None
        if has_expressions or (self.document.is_deployment and not has_placeholders):
            return self._subnet_expression(parts)
        return _subnet_id("<subscriptionId>", group or "<resourceGroupName>", name, subnet)

    def _subnet_expression(self, parts: list[str]) -> str:
        *group, name, subnet = (self._argument(part) for part in parts)
        return f"[resourceId({', '.join([*group, repr(SUBNET_TYPE), name, subnet])})]"

    def _argument(self, part: str) -> str:
        if self._is_expression(part):
            return part[1:-1].strip()
        literal = part[1:] if is_escaped(part) else part
        return "'" + literal.replace("'", "''") + "'"

    def _is_expression(self, text: str, path: str = "") -> bool:
        is_deployment, is_free = self.document.is_deployment, is_free_text(path)
        return is_bracketed(text) and is_expression(text, is_deployment=is_deployment, is_free=is_free)


def _is_one_placeholder(text: str) -> bool:
    return any(text == f"<{name}>" for name in placeholders_in(text))


def _subnet_id(subscription_id: str, group: object, name: object, subnet: object) -> str:
    provider = "Microsoft.Network/virtualNetworks"
    return f"/subscriptions/{subscription_id}/resourceGroups/{group}/providers/{provider}/{name}/subnets/{subnet}"
