"""The conditions that lists of roles and role assignments may have."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aib_emulator.arm.errors import ArmError

TERM = re.compile(
    r"(?P<function>atScope|atScopeAndBelow)\(\)"
    r"|assignedTo\('(?P<assigned>[^']*)'\)"
    r"|(?P<name>principalId|roleName|type)\s+eq\s+(?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>[\w-]+))",
    re.IGNORECASE,
)
NAMELESS = f"(?:{re.sub(r'[?]P<[a-z]+>', '?:', TERM.pattern)})"
TERMS = re.compile(rf"{NAMELESS}(?:\s+and\s+{NAMELESS})*", re.IGNORECASE)


@dataclass(frozen=True)
class Filter:
    """Hold what `$filter` asks for, in lower case.

    :param at_scope: leave out what lies below the scope
    :param principal_id: of that principal only
    :param role_name: of that name only
    :param role_type: of that type only
    """

    at_scope: bool = False
    principal_id: str | None = None
    role_name: str | None = None
    role_type: str | None = None


def read_filter(text: str) -> Filter:
    """Read `$filter`: terms joined by `and`."""
    found: dict[str, str] = {}
    if text.strip() and not TERMS.fullmatch(text.strip()):
        raise ArmError(400, "BadRequestFormat", f"The request was incorrectly formatted: $filter '{text}'.")
    for match in TERM.finditer(text):
        value = match["assigned"] or match["quoted"] or match["bare"] or ""
        name = match["function"] or match["name"] or "principalId"
        found[name.lower()] = value.replace("''", "'").lower()
    return Filter(
        at_scope="atscope" in found,
        principal_id=found.get("principalid"),
        role_name=found.get("rolename"),
        role_type=found.get("type"),
    )
