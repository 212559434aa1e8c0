"""The one way in which a service says no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.body_style import BodyStyle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NO_RESPONSE = (
    "The gateway did not receive a response from 'Microsoft.VirtualMachineImages' within the specified time period."
)
"""What was reported of a run whose answer the gateway lost."""


class ArmError(Exception):
    """Answer a call with an error.

    :param status: the HTTP status
    :param code: Azure's word for it
    :param message: the sentence that people read
    :param target: what it is about
    :param details: further errors, each with code and message
    :param headers: headers to send along
    :param is_wrapped: whether the body wraps it in `error`, as nearly all do
    :param style: how the body is written
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        is_wrapped: bool = True,
        style: BodyStyle = BodyStyle.ARM,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(details)
        self.headers = dict(headers or {})
        self.is_wrapped = is_wrapped
        self.style = style

    def to_json(self) -> dict[str, Any]:
        """Return the body to answer with."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            body["target"] = self.target
        if self.details:
            body["details"] = [dict(detail) for detail in self.details]
        return {"error": body} if self.is_wrapped else body


def resource_not_found(resource_type: str, name: str, resource_group_name: str | None) -> ArmError:
    """Return ARM's 404 for a resource, worded alike for every type."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_type}/{name}' under resource group '{resource_group_name}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def resource_group_not_found(resource_group_name: str) -> ArmError:
    """Return ARM's 404 for a resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{resource_group_name}' could not be found.")


def resource_group_being_deleted(resource_group_name: str) -> ArmError:
    """Return ARM's refusal of a change in a resource group that is about to go."""
    message = (
        f"The resource group '{resource_group_name}' is in deprovisioning state and cannot perform this operation."
    )
    return ArmError(409, "ResourceGroupBeingDeleted", message)
