from __future__ import annotations

import pytest

from aib_emulator.arm.call import Call, group_resource_id
from aib_emulator.arm.errors import ArmError


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff", b'{"a": "\\ud800"}'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Whatever is not a JSON object, or could not be shown again, answers 400."""
    with pytest.raises(ArmError) as refused:
        Call("PUT", "/", body=body).json()
    assert (refused.value.status, refused.value.code) == (400, "InvalidRequestContent")


def test_ids_come_from_the_path() -> None:
    """A call knows the id of the resource that its path names."""
    call = Call("GET", "/", parameters={"subscription_id": "s", "resource_group_name": "rg"})
    written = str(group_resource_id(call, "Microsoft.Compute", "images", "img"))
    assert written == "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/images/img"


def test_an_error_may_stand_without_its_envelope() -> None:
    """Old api-versions of Image Builder answer errors bare."""
    assert ArmError(400, "C", "m").to_json() == {"error": {"code": "C", "message": "m"}}
    assert ArmError(400, "C", "m", is_wrapped=False).to_json() == {"code": "C", "message": "m"}
