from __future__ import annotations

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.authorization.filters import Filter, read_filter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Filter()),
        ("atScope()", Filter(at_scope=True)),
        ("atScopeAndBelow()", Filter()),
        ("principalId eq 'A'", Filter(principal_id="a")),
        ("principalId eq a-b", Filter(principal_id="a-b")),
        ("assignedTo('a')", Filter(principal_id="a")),
        ("atScope() and assignedTo('a')", Filter(at_scope=True, principal_id="a")),
        ("roleName eq 'Bob''s Role'", Filter(role_name="bob's role")),
        ("roleName eq 'Salt and Pepper'", Filter(role_name="salt and pepper")),
        ("type eq 'CustomRole'", Filter(role_type="customrole")),
    ],
)
def test_what_a_filter_asks_for(text: str, expected: Filter) -> None:
    """Each form that clients send is understood."""
    assert read_filter(text) == expected


@pytest.mark.parametrize("text", ["color eq 'red'", "principalId ne 'a'", "atScope() or assignedTo('a')"])
def test_another_filter_is_refused(text: str) -> None:
    """What the service does not know is not taken for no condition at all."""
    with pytest.raises(ArmError) as refused:
        read_filter(text)
    assert (refused.value.status, refused.value.code) == (400, "BadRequestFormat")
