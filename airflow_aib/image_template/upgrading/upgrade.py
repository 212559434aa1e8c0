"""Old spellings become those of the current api-version, which refuses every other letter case and unknown member.

Nothing is guessed: what the tables do not know stays as it is, for the checks to remark on. A document that is not
filled in yet is upgraded by the same walk, which then leaves what depends on a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.document import IMAGE_TEMPLATE_TYPE
from airflow_aib.image_template.members.api_versions import API_VERSION, API_VERSIONS, is_strict
from airflow_aib.image_template.members.kinds import PROPERTIES
from airflow_aib.image_template.members.shapes import Member, shape
from airflow_aib.image_template.upgrading.change import Change
from airflow_aib.image_template.upgrading.readings import FilledIn, Written
from airflow_aib.image_template.upgrading.walk import AZURE_WRITES_IT, EVER, Place, UpgradeWalk

if TYPE_CHECKING:
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.editing.edit import Edit
    from airflow_aib.image_template.values.parameters import RenderContext

__all__ = ["Change", "Upgraded", "upgrade", "upgrade_document"]

_IDENTITY = shape(
    "identity",
    Member("type", values=("UserAssigned", "None")),
    Member("userAssignedIdentities", "texts"),
)


@dataclass(frozen=True)
class Upgraded:
    """Hold an image template in the current spelling.

    :param body: the image template
    :param changes: what was changed
    :param edits: the same, as it is done to a text
    """

    body: dict[str, Any]
    changes: tuple[Change, ...] = ()
    edits: tuple[Edit, ...] = ()


def upgrade(
    body: Mapping[str, Any], context: RenderContext, declared_api_version: str | None = None
) -> tuple[dict[str, Any], tuple[Change, ...]]:
    """Bring a filled-in body to the current api-version; a current one comes back unchanged.

    :param declared_api_version: for which the document says that it was written: members that this one did not know
        are left out, where it ignored such
    """
    walk = UpgradeWalk(FilledIn(context), _lax(declared_api_version))
    return _upgraded_body(body, walk), tuple(walk.changes)


def upgrade_document(document: ImageTemplateDocument) -> Upgraded:
    """Bring a document as it was written to the current api-version; what needs a value is left to rendering."""
    declared = document.body.get("apiVersion")
    walk = UpgradeWalk(Written(document), _lax(declared))
    body = _upgraded_body(document.body, walk)
    for key, current, why in _resource_words(document.body):
        walk.replace(Place(f"/{key}", f"/{key}"), repr(body[key]), current, why, API_VERSION)
        body[key] = current
    return Upgraded(body, tuple(walk.changes), tuple(walk.edits))


def _lax(declared_api_version: Any) -> str | None:
    """Give an api-version back if it ignored what it did not know."""
    is_lax = declared_api_version in API_VERSIONS and not is_strict(declared_api_version)
    return declared_api_version if is_lax else None


def moved_by(changes: Iterable[Change]) -> dict[str, str]:
    """Give the JSON pointers of what was renamed or moved, each with the one that it had before."""
    return {change.path: change.former_path for change in changes if change.path != change.former_path}


def _upgraded_body(body: Mapping[str, Any], walk: UpgradeWalk) -> dict[str, Any]:
    upgraded = dict(body)
    if isinstance(body.get("identity"), Mapping):
        upgraded["identity"] = _identity(body["identity"], walk)
    if isinstance(body.get("properties"), Mapping):
        upgraded["properties"] = walk.object(body["properties"], PROPERTIES, Place("/properties", "/properties"))
    return upgraded


def _resource_words(body: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """Give what a resource says of its type and api-version that is not current: member, current text and why."""
    resource_type, api_version = body.get("type"), body.get("apiVersion")
    if isinstance(resource_type, str) and resource_type != IMAGE_TEMPLATE_TYPE:
        # Reading the document has let nothing pass but its short form and other letters.
        yield "type", IMAGE_TEMPLATE_TYPE, "the full name of the type"
    if api_version in API_VERSIONS[:-1]:
        yield "apiVersion", API_VERSION, "the current api-version"


def _identity(identity: Mapping[str, Any], walk: UpgradeWalk) -> dict[str, Any]:
    """Drop the ids that Azure fills in beside each identity, and its own members."""
    place = Place("/identity", "/identity")
    upgraded = walk.object(identity, _IDENTITY, place)
    assigned = upgraded.get("userAssignedIdentities")
    if isinstance(assigned, Mapping):
        inside = place.child("userAssignedIdentities", _spelling(identity, "userAssignedIdentities"))
        upgraded["userAssignedIdentities"] = {
            key: _assigned(item, inside.child(key), walk) for key, item in assigned.items()
        }
    return upgraded


def _spelling(value: Mapping[str, Any], name: str) -> str:
    return name if name in value else next(key for key in value if key.casefold() == name.casefold())


def _assigned(value: Any, place: Place, walk: UpgradeWalk) -> Any:
    if value is None:
        walk.replace(place, "null", {}, "the service takes an object", EVER, new="an empty object")
        return {}
    if not isinstance(value, Mapping) or not set(value) <= {"principalId", "clientId"}:
        return value
    for key in value:
        walk.leave_out(place.child(key), AZURE_WRITES_IT)
    return {}
