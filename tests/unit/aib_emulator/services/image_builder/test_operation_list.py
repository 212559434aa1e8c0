from __future__ import annotations

import pytest

from aib_emulator.services.image_builder.operation_list import operation_body


@pytest.mark.parametrize(
    ("action", "resource", "operation"),
    [
        ("Microsoft.VirtualMachineImages/imageTemplates/read", "imageTemplates", "read"),
        ("Microsoft.VirtualMachineImages/imageTemplates/run/action", "imageTemplates", "run/action"),
        ("Microsoft.VirtualMachineImages/imageTemplates/triggers/write", "imageTemplates/triggers", "write"),
    ],
)
def test_an_operation_is_shown_in_parts(action: str, resource: str, operation: str) -> None:
    """Its provider, the type that it is about, and what is done."""
    assert operation_body(action) == {
        "name": action,
        "isDataAction": False,
        "display": {"provider": "Microsoft.VirtualMachineImages", "resource": resource, "operation": operation},
    }
