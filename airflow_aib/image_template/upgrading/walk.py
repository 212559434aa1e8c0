"""The walk through an image template by its tables, that gives every member its current spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.editing.edit import Edit
from airflow_aib.image_template.members.api_versions import API_VERSIONS, STRICT_SINCE
from airflow_aib.image_template.members.kinds import READ_ONLY
from airflow_aib.image_template.members.misspelt import SURELY, meant_by
from airflow_aib.image_template.members.shapes import Family, Member, Shape
from airflow_aib.image_template.pointers import child, unescape
from airflow_aib.image_template.upgrading.change import Change

if TYPE_CHECKING:
    from airflow_aib.image_template.upgrading.readings import Reading

# Api-versions since which a spelling holds. The previews were documented with the older ones, which 2020-02-14 ended;
# until 2024-02-01 the service did not mind the letter case of members.
EVER, PREVIEWS_ENDED = API_VERSIONS[0], "2020-02-14"
_RENAMED_SINCE = {"script": "2019-05-01-preview", "valid_exit_codes": PREVIEWS_ENDED, "tags": PREVIEWS_ENDED}

AZURE_WRITES_IT = "Azure writes it, nobody sends it"
_LETTER_CASE = "letter case counts"

_READ_ONLY = {**READ_ONLY, "/identity": ("principalId", "tenantId")}
_SUBNET_NAMES = ("name", "subnetname", "resourcegroupname")
_BOOLEANS = {"true": True, "false": False}
# Longer ones are no numbers of an image template, and Python refuses to read thousands of digits.
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Place:
    """Say where the walk is.

    :param path: JSON pointer as it is now
    :param former_path: JSON pointer as it was before any change
    """

    path: str
    former_path: str

    def child(self, key: str | int, former: str | int | None = None) -> Place:
        """Give the place of a member or item.

        :param former: its key before, if that was another
        """
        return Place(child(self.path, key), child(self.former_path, key if former is None else former))

    @property
    def former_key(self) -> str:
        """The key that it had."""
        return unescape(self.former_path.rpartition("/")[2])


class UpgradeWalk:
    """Give every member its current spelling, and write down what was done.

    :param reading: how much is known about a text
    :param ignored_by: the api-version for which all was written, where that one ignored members that it did not know
    """

    def __init__(self, reading: Reading, ignored_by: str | None = None) -> None:
        self._reading = reading
        self._ignored_by = ignored_by
        self.changes: list[Change] = []
        self.edits: list[Edit] = []

    def object(self, value: Mapping[str, Any], shape: Shape, place: Place) -> dict[str, Any]:
        """Upgrade an object."""
        if shape.name == "vnetConfig":
            value = self._subnet_by_id(value, place)
        meant = _members_meant(value, shape)
        upgraded: dict[str, Any] = {}
        for key, item in value.items():
            member = meant.get(key)
            name = member.name if member else key
            inside = place.child(name, key)
            if key in _READ_ONLY.get(place.path, ()):
                self.leave_out(inside, AZURE_WRITES_IT)
                continue
            if self._is_ignored(key, shape, inside):
                why = f"api-version {self._ignored_by} ignores it, and the current one refuses it"
                self.leave_out(inside, why, meant=meant_by(key, shape.members, likeness=SURELY))
                continue
            if name != key:
                self._rename(inside, name)
            upgraded[name] = self._member(item, member, inside) if member else item
        return upgraded

    def replace(self, place: Place, old: str, value: Any, why: str, since: str, *, new: str = "") -> None:
        """Note that a value is another one now.

        :param old: what was there
        :param new: what is there now, where that is not to be quoted
        """
        self._note(place, old, new or repr(value), why, since)
        self.edits.append(Edit("replace", place.former_path, value=value))

    def leave_out(self, place: Place, why: str, *, meant: str | None = None) -> None:
        """Note that a member is left out.

        :param meant: the one that it likely should be
        """
        self.changes.append(Change(place.path, place.former_path, repr(place.former_key), "", why, EVER, meant))
        self.edits.append(Edit("remove", place.former_path))

    def _is_ignored(self, key: str, shape: Shape, place: Place) -> bool:
        """Whether a member never had an effect: the service did not know it, and did not mind."""
        is_known = shape.member(key) is not None or key.casefold() in shape.others
        return self._ignored_by is not None and not is_known and self._reading.is_known(key, place.former_path)

    def _rename(self, place: Place, name: str) -> None:
        key = place.former_key
        since = STRICT_SINCE if key.casefold() == name.casefold() else _RENAMED_SINCE.get(key.casefold(), EVER)
        why = _LETTER_CASE if since == STRICT_SINCE else "the current spelling"
        self._note(place, repr(key), repr(name), why, since)
        self.edits.append(Edit("rename", place.former_path, name))

    def _member(self, value: Any, member: Member, place: Place) -> Any:
        match member.kind:
            case "object" if isinstance(value, Mapping):
                return self._structured(value, member.holds, place)
            case "list" if isinstance(value, str) and isinstance(member.holds, str):
                return self._list_of_text(value, member, place)
            case "list" if isinstance(value, list):
                return [self._item(item, member, place.child(index)) for index, item in enumerate(value)]
            case "integer" | "boolean":
                return self._scalar(value, member.kind, place)
            case "string" if isinstance(value, str) and member.values:
                return self._word(value, member.values, place, EVER)
        return value

    def _item(self, value: Any, member: Member, place: Place) -> Any:
        if isinstance(value, Mapping):
            return self._structured(value, member.holds, place)
        return self._scalar(value, "integer", place) if member.holds == "integer" else value

    def _structured(self, value: Mapping[str, Any], holds: Any, place: Place) -> dict[str, Any]:
        if isinstance(holds, Family):
            return self._of_family(value, holds, place)
        return self.object(value, holds, place) if isinstance(holds, Shape) else dict(value)

    def _of_family(self, value: Mapping[str, Any], family: Family, place: Place) -> dict[str, Any]:
        key = _telling_key(value, family)
        kind = family.find(value[key]) if key is not None and isinstance(value[key], str) else None
        if key is None or kind is None:
            return dict(value)
        upgraded = self.object(value, kind, place)
        upgraded[family.told_by] = self._word(
            value[key], (kind.name,), place.child(family.told_by, key), PREVIEWS_ENDED
        )
        return upgraded

    def _list_of_text(self, value: str, member: Member, place: Place) -> Any:
        if member.holds == "integer":
            return self._list_of_numbers(value, place)
        if not self._reading.is_text(value, place.former_path):
            return value
        self._note(place, "one text", "a list", "the current api-version takes a list", PREVIEWS_ENDED)
        self.edits.append(Edit("wrap", place.former_path))
        return [value]

    def _list_of_numbers(self, value: str, place: Place) -> Any:
        if not self._reading.is_known(value, place.former_path):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        numbers = [part if (number := _read_integer(part)) is None else number for part in parts]
        why = "the current api-version takes a list of numbers"
        self.replace(place, "one text", numbers, why, PREVIEWS_ENDED, new="a list")
        return numbers

    def _scalar(self, value: Any, kind: str, place: Place) -> Any:
        """Turn text into the number or boolean that it writes; other text stays, for the checks."""
        if not isinstance(value, str):
            return value
        read = _BOOLEANS.get(value.strip().casefold()) if kind == "boolean" else _read_integer(value)
        if read is None:
            return value
        shown = f"the {kind} {str(read).lower()}"
        self.replace(place, "text", read, f"the current api-version takes a {kind}", PREVIEWS_ENDED, new=shown)
        return read

    def _word(self, value: str, allowed: tuple[str, ...], place: Place, since: str) -> str:
        word = next((one for one in allowed if one.casefold() == value.casefold()), value)
        if word != value and value not in allowed:
            self.replace(place, repr(value), word, _LETTER_CASE, since)
        return word

    def _subnet_by_id(self, value: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
        """Join the three names of 2019 to the one resource id of today."""
        keys = {key.casefold(): key for key in value}
        name, subnet, group = (value.get(keys.get(key, "")) for key in _SUBNET_NAMES)
        if not name or not subnet or "subnetid" in keys or len(keys) < len(value):
            return value
        subnet_id = self._reading.subnet_id(name, subnet, group)
        if subnet_id is None:
            return value
        self._note_subnet([keys[key] for key in _SUBNET_NAMES if key in keys], subnet_id, place)
        return {
            "subnetId" if key == keys["name"] else key: subnet_id if key == keys["name"] else item
            for key, item in value.items()
            if key.casefold() not in _SUBNET_NAMES[1:]
        }

    def _note_subnet(self, keys: list[str], subnet_id: str, place: Place) -> None:
        inside = place.child("subnetId", keys[0])
        self._note(inside, "a network by names", "a subnet by id", "the current spelling", PREVIEWS_ENDED)
        self.edits.append(Edit("rename", inside.former_path, "subnetId"))
        self.edits.append(Edit("replace", inside.former_path, value=subnet_id))
        self.edits.extend(Edit("remove", child(place.former_path, key)) for key in keys[1:])

    def _note(self, place: Place, old: str, new: str, why: str, since: str) -> None:
        self.changes.append(Change(place.path, place.former_path, old, new, why, since))


def _members_meant(value: Mapping[str, Any], shape: Shape) -> dict[str, Member]:
    """Find the member that each key means; of several spellings of one the right one counts, else the first."""
    taken = set(value)
    meant = {key: shape.members[key] for key in value if key in shape.members}
    for key in value:
        member = shape.member(key)
        if member is not None and member.name not in taken:
            taken.add(member.name)
            meant[key] = member
    return meant


def _telling_key(value: Mapping[str, Any], family: Family) -> str | None:
    if family.told_by in value:
        return family.told_by
    return next((key for key in value if key.casefold() == family.told_by), None)


def _read_integer(text: str) -> int | None:
    stripped = text.strip()
    digits = stripped.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return int(stripped) if is_number else None
