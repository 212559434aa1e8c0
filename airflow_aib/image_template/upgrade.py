"""Old spellings become those of the current api-version, which refuses every other letter case and unknown member.

Nothing is guessed: what the tables do not know stays as it is, for the checks to remark on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.kinds import PROPERTIES, READ_ONLY
from airflow_aib.image_template.shapes import Family, Member, Shape

if TYPE_CHECKING:
    from airflow_aib.image_template.parameters import RenderContext


@dataclass(frozen=True)
class Change:
    """Record one change of spelling.

    :param path: JSON pointer to the place as it is now
    :param what: what was changed, without quoting values that may be long or secret
    :param why: the reason
    :param former_path: JSON pointer to the place as it was
    """

    path: str
    what: str
    why: str
    former_path: str

    def __str__(self) -> str:
        """Give the change as one line."""
        return f"{self.path}: {self.what} ({self.why})"


def upgrade(body: Mapping[str, Any], context: RenderContext) -> tuple[dict[str, Any], tuple[Change, ...]]:
    """Bring a filled-in body to the current api-version; a current one comes back unchanged."""
    upgrading = _Upgrading(context)
    upgraded = dict(body)
    if isinstance(body.get("identity"), Mapping):
        upgraded["identity"] = _without_read_only_identity(body["identity"])
    properties = body.get("properties")
    if isinstance(properties, Mapping):
        upgraded["properties"] = upgrading.object(properties, PROPERTIES, "/properties")
    return upgraded, tuple(upgrading.changes)


class _Upgrading:
    """Walk the properties by their tables."""

    def __init__(self, context: RenderContext) -> None:
        self._context = context
        self.changes: list[Change] = []

    def object(self, value: Mapping[str, Any], shape: Shape, path: str) -> dict[str, Any]:
        if shape.name == "vnetConfig":
            value = self._subnet_by_id(value, path)
        upgraded: dict[str, Any] = {}
        for key, item in value.items():
            if key in READ_ONLY.get(path, ()):
                self._note(f"{path}/{key}", f"{key!r} left out", "Azure writes it, nobody sends it")
                continue
            member = shape.member(key)
            name = member.name if member else key
            if name != key and name in value:
                # Both spellings stand there: the checks remark on the unknown one.
                member, name = None, key
            if name != key:
                self._note(
                    f"{path}/{name}",
                    f"{key!r} renamed to {name!r}",
                    "the current api-version's spelling",
                    former_path=f"{path}/{key}",
                )
            upgraded[name] = self.member(item, member, f"{path}/{name}") if member else item
        return upgraded

    def member(self, value: Any, member: Member, path: str) -> Any:
        match member.kind:
            case "object" if isinstance(value, Mapping):
                return self._structured(value, member.holds, path)
            case "list":
                return self._list(value, member, path)
            case "integer" | "boolean":
                return self._scalar(value, member.kind, path)
            case "string" if isinstance(value, str) and member.values:
                return self._word(value, member.values, path)
        return value

    def _structured(self, value: Mapping[str, Any], holds: Any, path: str) -> dict[str, Any]:
        if isinstance(holds, Family):
            kind = holds.kind_of(value)
            return self._of_kind(value, holds, kind, path) if kind else dict(value)
        return self.object(value, holds, path) if isinstance(holds, Shape) else dict(value)

    def _of_kind(self, value: Mapping[str, Any], family: Family, kind: Shape, path: str) -> dict[str, Any]:
        upgraded = self.object(value, kind, path)
        if upgraded.get(family.told_by) != kind.name:
            self._note(
                f"{path}/{family.told_by}",
                f"{upgraded.get(family.told_by)!r} written {kind.name!r}",
                "letter case counts",
            )
            upgraded[family.told_by] = kind.name
        return upgraded

    def _list(self, value: Any, member: Member, path: str) -> Any:
        if isinstance(value, str) and isinstance(member.holds, str):
            value = self._list_of_text(value, member, path)
        if not isinstance(value, list):
            return value
        if isinstance(member.holds, Shape | Family):
            return [
                self._structured(item, member.holds, f"{path}/{index}") if isinstance(item, Mapping) else item
                for index, item in enumerate(value)
            ]
        if member.holds == "integer":
            return [self._scalar(item, "integer", f"{path}/{index}") for index, item in enumerate(value)]
        return value

    def _list_of_text(self, value: str, member: Member, path: str) -> list[str]:
        self._note(path, "one text became a list", "the current api-version takes a list")
        if member.holds == "integer":
            return [part.strip() for part in value.split(",") if part.strip()]
        return [value]

    def _scalar(self, value: Any, kind: str, path: str) -> Any:
        """Turn text into the number or boolean that it writes; other text stays, for the checks."""
        if not isinstance(value, str):
            return value
        read = _BOOLEANS.get(value.strip().casefold()) if kind == "boolean" else _read_integer(value)
        if read is None:
            return value
        self._note(path, f"text became the {kind} {read!r}", f"the current api-version takes a {kind}")
        return read

    def _word(self, value: str, allowed: tuple[str, ...], path: str) -> str:
        word = next((one for one in allowed if one.casefold() == value.casefold()), value)
        if word != value:
            self._note(path, f"{value!r} written {word!r}", "letter case counts")
        return word

    def _subnet_by_id(self, value: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """Join the three names of 2019 to the one resource id of today."""
        by_name = {key.casefold(): key for key in value}
        name, subnet = (value.get(by_name.get(key, "")) for key in ("name", "subnetname"))
        if not name or not subnet or "subnetid" in by_name:
            return value
        group = value.get(by_name.get("resourcegroupname", "")) or self._context.resource_group_name
        self._note(f"{path}/subnetId", "made from 'name', 'subnetName' and 'resourceGroupName'", "since 2020-02-14")
        kept = {key: item for key, item in value.items() if key.casefold() not in _SUBNET_NAMES}
        subscription = f"/subscriptions/{self._context.subscription_id}"
        return kept | {
            "subnetId": f"{subscription}/resourceGroups/{group}/providers/Microsoft.Network"
            f"/virtualNetworks/{name}/subnets/{subnet}"
        }

    def _note(self, path: str, what: str, why: str, *, former_path: str | None = None) -> None:
        self.changes.append(Change(path, what, why, path if former_path is None else former_path))


_SUBNET_NAMES = frozenset({"name", "subnetname", "resourcegroupname"})

_BOOLEANS = {"true": True, "false": False}


def _read_integer(text: str) -> int | None:
    stripped = text.strip()
    return int(stripped) if stripped.removeprefix("-").isascii() and stripped.removeprefix("-").isdigit() else None


def _without_read_only_identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the ids that Azure fills in beside each identity, and its own members."""
    kept = {key: value for key, value in identity.items() if key not in {"principalId", "tenantId"}}
    assigned = identity.get("userAssignedIdentities")
    if isinstance(assigned, Mapping):
        kept["userAssignedIdentities"] = {
            key: {} if value is None or (isinstance(value, Mapping) and _is_filled_in(value)) else value
            for key, value in assigned.items()
        }
    return kept


def _is_filled_in(value: Mapping[str, Any]) -> bool:
    return set(value) <= {"principalId", "clientId"}
