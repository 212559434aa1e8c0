"""What makes two image templates build the same: bodies compared by content, whatever Azure added to one of them.

Left out: what Azure writes (states, exact versions, identity ids, checksums that were not sent), our own marks, and
members that say what their absence says too. Letter case does not count in resource ids, regions, types and tag names.
A tag that stands only in Azure's body does not count either: policies add tags of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.members.kinds import READ_ONLY, all_members
from airflow_aib.image_template.pointers import escape
from airflow_aib.image_template.region import normal_region

if TYPE_CHECKING:
    from airflow_aib.image_template.members.shapes import Member

# Tags of ours on the image template, that say what has been saved of a run.
MARK_PREFIX = "airflow-aib-"

_TAG_MAPS = frozenset({"tags", "artifactTags", "managedResourceTags"})
_REGION_LISTS = frozenset({"replicationRegions"})
_EMPTY: tuple[Any, ...] = (None, "", 0, False, {}, [])


def _values_that_say_nothing(member: Member) -> tuple[Any, ...]:
    """Give a member's values that say the same as its absence: its default and, unless 0 is a real value, emptiness."""
    default = () if member.default is None else (member.default,)
    zero_counts = member.least is not None and member.least < 0
    return default if zero_counts else (*default, *_EMPTY)


_SAYS_NOTHING = {member.name: _values_that_say_nothing(member) for member in all_members()}


def differences(rendered_body: Mapping[str, Any], actual_body: Mapping[str, Any]) -> list[str]:
    """Give the places where two image templates differ in what they build, as JSON pointers.

    :param rendered_body: what we would submit
    :param actual_body: what Azure has, as it answers
    """
    wanted, actual = normalised(rendered_body), normalised(actual_body)
    wanted_tags = wanted.setdefault("tags", {})
    actual["tags"] = {name: value for name, value in actual.get("tags", {}).items() if name in wanted_tags}
    return _differing(wanted, actual, "")


def fingerprint(body: Mapping[str, Any]) -> str:
    """Give a digest that is the same for two bodies that build the same."""
    canonical = json.dumps(normalised(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # What a caller passes may hold half a character, which a file cannot.
    content = canonical.encode(errors="surrogatepass")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def normalised(body: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a body to the one form in which bodies that build the same are equal."""
    identity, properties = body.get("identity"), body.get("properties")
    parts = {
        "location": normal_region(str(body.get("location") or "")),
        "tags": _tags(body.get("tags")),
        "identity": _identity(identity if isinstance(identity, Mapping) else {}),
        "properties": _object(properties if isinstance(properties, Mapping) else {}, "/properties"),
    }
    return {key: value for key, value in parts.items() if value not in _EMPTY}


def _object(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key in READ_ONLY.get(path, ()):
            continue
        member = _member(key, item, f"{path}/{key}")
        if member not in _SAYS_NOTHING.get(key, _EMPTY) and member not in (None, "", {}, []):
            kept[key] = member
    return kept


def _member(key: str, value: Any, path: str) -> Any:
    if key in _TAG_MAPS:
        return _tags(value)
    if key in _REGION_LISTS and isinstance(value, list):
        return sorted(normal_region(str(name)) for name in value)
    if key == "targetRegions" and isinstance(value, list):
        return sorted((_target_region(item) for item in value), key=lambda item: str(item.get("name")))
    if isinstance(value, Mapping):
        return _object(value, path)
    if isinstance(value, list):
        return [_object(item, path) if isinstance(item, Mapping) else _scalar(key, item) for item in value]
    return _scalar(key, value)


def _scalar(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if key == "location":
        return normal_region(value)
    if key in {"type", "sha256Checksum"} or value.casefold().startswith("/subscriptions/"):
        return value.casefold()
    return value


def _target_region(value: Any) -> dict[str, Any]:
    item = _object(value, "") if isinstance(value, Mapping) else {"name": str(value)}
    return item | {"name": normal_region(str(item.get("name", "")))}


def _tags(value: Any) -> dict[str, Any]:
    tags = value if isinstance(value, Mapping) else {}
    return {key.casefold(): item for key, item in tags.items() if not key.casefold().startswith(MARK_PREFIX)}


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    assigned = identity.get("userAssignedIdentities")
    ids = sorted(key.casefold() for key in assigned) if isinstance(assigned, Mapping) else []
    kind = str(identity.get("type", "")).casefold()
    kept = {"type": "" if kind == "none" else kind, "userAssignedIdentities": ids}
    return {key: value for key, value in kept.items() if value}


def _differing(wanted: Any, actual: Any, path: str) -> list[str]:
    if isinstance(wanted, dict) and isinstance(actual, dict):
        keys = [*wanted, *(key for key in actual if key not in wanted)]
        return [
            place
            for key in keys
            if not _is_filled_in_by_azure(key, wanted)
            for place in _differing(wanted.get(key), actual.get(key), f"{path}/{escape(key)}")
        ]
    if isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        return [
            place
            for index, pair in enumerate(zip(wanted, actual, strict=True))
            for place in _differing(*pair, f"{path}/{index}")
        ]
    return [] if _is_same(wanted, actual) else [path]


def _is_filled_in_by_azure(key: str, wanted: Mapping[str, Any]) -> bool:
    """Azure downloads each script and adds its checksum: only one that we send ourselves can differ."""
    return key == "sha256Checksum" and key not in wanted


def _is_same(wanted: Any, actual: Any) -> bool:
    # True == 1 in Python, not in JSON.
    return bool(wanted == actual) and isinstance(wanted, bool) == isinstance(actual, bool)
