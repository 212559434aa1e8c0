"""The identity with which AIB reads sources and scripts and writes images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.reading import check_id, mapping
from airflow_aib.image_template.finding import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"

_HINT = 'Write "identity": {"type": "UserAssigned", "userAssignedIdentities": {"<resource id>": {}}}.'


def check_identity(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report anything but exactly one user-assigned identity."""
    identity = mapping(rendered.body.get("identity"))
    kind = str(identity.get("type") or "")
    if not identity:
        yield error("/identity", "identity-required", "Since 2020-02-14 an image template needs an identity", _HINT)
        return
    if kind == "None":
        yield warning("/identity/type", "identity-required", "Without an identity the build can write no image", _HINT)
        return
    if kind != "UserAssigned":
        yield error("/identity/type", "identity-type", f"AIB takes user-assigned identities only, not {kind!r}", _HINT)
        return
    assigned = mapping(identity.get("userAssignedIdentities"))
    if len(assigned) != 1:
        yield error(
            "/identity/userAssignedIdentities",
            "identity-single",
            f"AIB takes exactly one identity, and here are {len(assigned)}",
            "Identities for the build VM itself belong into vmProfile.userAssignedIdentities.",
        )
    if "" in assigned:
        yield error("/identity/userAssignedIdentities", "resource-id-form", "The identity's id is empty", _HINT)
    for identity_id in assigned:
        yield from check_id({"id": identity_id}, "id", "/identity/userAssignedIdentities", IDENTITY_TYPE)
