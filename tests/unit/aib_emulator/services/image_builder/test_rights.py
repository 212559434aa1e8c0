from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.rights import needed_rights
from aib_emulator.services.image_builder.timeline import PlannedFault, plan_run
from tests.unit.aib_emulator.services.image_builder.samples import (
    GALLERY_IMAGE,
    GROUP,
    IDENTITY,
    MANAGED_IMAGE,
    START,
    TO_GALLERY,
    TO_MANAGED_IMAGE,
    TO_VHD,
    image_template,
    kept,
)

GALLERY = GALLERY_IMAGE.partition("/images/")[0]
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
SUBNET = f"{NETWORK}/subnets/s"
WRITE_IMAGE = {(f"images/{verb}", MANAGED_IMAGE) for verb in ("read", "write", "delete")}


def needed(**properties: Any) -> set[tuple[str, str]]:
    """Return which action is needed where, without the provider's name."""
    rights = needed_rights(image_template(**{"distribute": [TO_VHD], **properties}))
    return {(action.partition("/")[2], right.place) for right in rights for action in right.actions}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, set()),
        ({"distribute": [TO_MANAGED_IMAGE]}, WRITE_IMAGE),
        (
            {"distribute": [TO_GALLERY]},
            {
                ("galleries/read", GALLERY),
                ("galleries/images/read", GALLERY_IMAGE),
                ("galleries/images/versions/read", GALLERY_IMAGE),
                ("galleries/images/versions/write", GALLERY_IMAGE),
            },
        ),
        ({"source": {"type": "ManagedImage", "imageId": MANAGED_IMAGE}}, {("images/read", MANAGED_IMAGE)}),
        (
            {"source": {"type": "SharedImageVersion", "imageVersionId": f"{GALLERY_IMAGE}/versions/latest"}},
            {
                ("galleries/read", GALLERY),
                ("galleries/images/read", GALLERY_IMAGE),
                ("galleries/images/versions/read", f"{GALLERY_IMAGE}/versions/latest"),
            },
        ),
        (
            {"vmProfile": {"vnetConfig": {"subnetId": SUBNET}, "userAssignedIdentities": [IDENTITY]}},
            {
                ("virtualNetworks/read", NETWORK),
                ("virtualNetworks/subnets/join/action", SUBNET),
                ("userAssignedIdentities/assign/action", IDENTITY),
            },
        ),
        (
            {"stagingResourceGroup": GROUP},
            {
                ("subscriptions/resourceGroups/write", GROUP),
                ("storageAccounts/write", GROUP),
                ("virtualMachines/write", GROUP),
            },
        ),
    ],
)
def test_what_an_identity_needs(properties: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """Each part of an image template needs its actions at the resource that it names."""
    assert needed(**properties) == expected


def test_a_denied_run_ends_while_it_is_queued() -> None:
    """A run that may not begin leaves nothing behind, not even a log."""
    timeline = plan_run(kept(), START, PlannedFault("denied"))
    assert [phase.kind for phase in timeline.phases] == ["queue"]
    assert (timeline.run_state, timeline.reason) == ("Failed", "denied")


@pytest.mark.parametrize(("also", "run_state"), [((), "PartiallySucceeded"), ((1,), "Failed")])
def test_distributors_fail_together(also: tuple[int, ...], run_state: str) -> None:
    """A run from which any image comes has partly succeeded."""
    properties = kept(distribute=[TO_VHD, TO_MANAGED_IMAGE])
    timeline = plan_run(properties, START, PlannedFault("partial", 0, also))
    assert (timeline.run_state, timeline.reason) == (run_state, "distribute")
    failing = [phase.index for phase in timeline.phases if phase.fails]
    assert failing == [0, *also]
