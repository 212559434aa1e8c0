from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.build_vm import build_vm_ids, is_kept
from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.log_lines import LogWriter
from aib_emulator.services.image_builder.timeline import plan_run
from tests.unit.aib_emulator.services.image_builder.samples import SHELL, START, image_template

ABORT_CUSTOMIZER = {"onCustomizerError": "abort"}
ABORT_VALIDATION = {"onValidationError": "abort"}
SUBNET_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n"


@pytest.mark.parametrize(
    ("kind", "handling", "kept"),
    [
        ("customizer", ABORT_CUSTOMIZER, True),
        ("deprovision", ABORT_CUSTOMIZER, True),
        ("validator", ABORT_VALIDATION, True),
        ("customizer", ABORT_VALIDATION, False),
        ("validator", ABORT_CUSTOMIZER, False),
        ("customizer", {"onCustomizerError": "cleanup"}, False),
        ("customizer", None, False),
        ("hang", ABORT_CUSTOMIZER, False),
        ("partial", {**ABORT_CUSTOMIZER, **ABORT_VALIDATION}, False),
    ],
)
def test_the_build_vm_stays_after_the_errors_that_are_to_abort(
    kind: str,
    handling: dict[str, str] | None,
    kept: bool,
) -> None:
    """An image template says for customizers and for validators whether their errors keep the build VM."""
    more: dict[str, Any] = {} if handling is None else {"errorHandling": handling}
    template = image_template(validate={"inVMValidations": [SHELL]}, **more)
    assert is_kept(template.properties, plan_run(template.properties, START, PlannedFault(kind))) is kept


@pytest.mark.parametrize(("network", "number"), [({}, 6), ({"vnetConfig": {"subnetId": SUBNET_ID}}, 3)])
def test_a_build_vm_has_a_network_of_its_own_unless_one_is_given(network: dict[str, Any], number: int) -> None:
    """Machine, disk and interface are always there; the network only where no subnet was named."""
    found = build_vm_ids(ResourceId("s", "IT_g"), {"vmProfile": network}, "0a1b")
    assert (len(found), {item.name[5:] for item in found}) == (number, {"0a1b"})
    assert found[0].write().endswith("/resourceGroups/IT_g/providers/Microsoft.Compute/virtualMachines/pkrvm0a1b")


def test_the_log_of_a_kept_build_vm_deletes_nothing() -> None:
    """The error ends the log as ever, without the lines about deleting."""
    template = image_template(errorHandling=ABORT_CUSTOMIZER)
    timeline = plan_run(template.properties, START, PlannedFault("customizer"))
    log = "".join(part.text for part in LogWriter(template, "0").parts(timeline))
    assert "Deleting individual resources" not in log
    assert "Build 'azure-arm' errored after" in log
