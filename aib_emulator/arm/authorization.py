"""What Resource Manager asks before it lets a call through: whether this caller may do that there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aib_emulator.arm.call import read_json
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.resource_id import ResourceId, ResourceIdError

if TYPE_CHECKING:
    from aib_emulator.arm.call import Call
    from aib_emulator.arm.route import Route

ASSIGN_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


class Access(Protocol):
    """Who may do what, as role assignments say; `place` is a path such as a resource id."""

    def may(self, principal_id: str, action: str, place: str, *, is_data: bool = False) -> bool:
        """Whether a principal may do something at a place, or to the data there."""
        ...

    def may_somewhere(self, principal_id: str, action: str) -> bool:
        """Whether a principal may do something anywhere at all."""
        ...


def demand_rights(access: Access, route: Route, call: Call) -> None:
    """Raise ARM's refusal of a caller who lacks the route's action, or a right on an identity that the body names."""
    if not route.action:
        return
    place, principal_id = place_of(call.path), str(call.claims.get("oid", ""))
    action = route.action.format_map(call.parameters)
    is_allowed = (
        access.may_somewhere(principal_id, action) if route.is_for_anywhere else access.may(principal_id, action, place)
    )
    if not is_allowed:
        raise _authorization_failed(call, action, place)
    missing = [
        identity_id
        for identity_id in identities_named(call)
        if not access.may(principal_id, ASSIGN_IDENTITY, identity_id)
    ]
    if missing:
        raise _linked_authorization_failed(call, action, place, missing)


def place_of(path: str) -> str:
    """Return what a path is about: without the word at its end for a list or an action.

    Types and names take turns, so a path with an odd number of segments ends in such a word.
    """
    segments = [segment for segment in path.split("/") if segment]
    return "/" + "/".join(segments[: len(segments) // 2 * 2])


def identities_named(call: Call) -> list[str]:
    """Return the user-assigned identities that a PUT or PATCH gives to a resource; none when the body is no good."""
    if call.method not in {"PUT", "PATCH"}:
        return []
    try:
        body = read_json(call.body)
    except ValueError:
        return []
    identity = body.get("identity") if isinstance(body, dict) else None
    named = identity.get("userAssignedIdentities") if isinstance(identity, dict) else None
    if not isinstance(named, dict):
        return []
    # A null takes an identity away; what is no id at all, the service itself refuses.
    return [name for name, value in named.items() if value is not None and _is_resource_id(name)]


def _authorization_failed(call: Call, action: str, place: str) -> ArmError:
    message = (
        f"The client {_who(call)} does not have authorization to perform action '{action}' over scope '{place}' "
        "or the scope is invalid. If access was recently granted, please refresh your credentials."
    )
    return ArmError(403, "AuthorizationFailed", message)


def _linked_authorization_failed(call: Call, action: str, place: str, missing: list[str]) -> ArmError:
    message = (
        f"The client {_who(call)} has permission to perform action '{action}' on scope '{place}'; however, it does "
        f"not have permission to perform action(s) '{ASSIGN_IDENTITY}' on the linked scope(s) '{','.join(missing)}' "
        "(respectively) or the linked scope(s) are invalid."
    )
    return ArmError(403, "LinkedAuthorizationFailed", message)


def _is_resource_id(text: str) -> bool:
    try:
        return ResourceId.parse(text).namespace is not None
    except ResourceIdError:
        return False


def _who(call: Call) -> str:
    return f"'{call.claims.get('appid', '')}' with object id '{call.claims.get('oid', '')}'"
