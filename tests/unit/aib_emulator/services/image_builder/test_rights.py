from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.planned import denied
from aib_emulator.services.image_builder.rights import Denial, needed_rights
from aib_emulator.services.image_builder.timeline import plan_run
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
    plan = denied(Denial("No."), image_template(), "new")
    timeline = plan_run(kept(), START, plan.fault)
    assert [phase.kind for phase in timeline.phases] == ["queue"]
    assert (timeline.run_state, plan.words.message) == ("Failed", "No.")


@pytest.mark.parametrize(("more", "run_state"), [((), "PartiallySucceeded"), ((1,), "Failed")])
def test_distributors_fail_together(more: tuple[int, ...], run_state: str) -> None:
    """A run from which any image comes has partly succeeded; it says how many did not, and what of the first."""
    built = image_template(distribute=[TO_VHD, TO_MANAGED_IMAGE])
    plan = denied(Denial("No.", (0, *more)), built, "new")
    timeline = plan_run(built.properties, START, plan.fault)
    assert (timeline.run_state, timeline.reason) == (run_state, "distribute")
    assert [phase.index for phase in timeline.phases if phase.fails] == [0, *more]
    assert plan.words.message == (
        f"Failed in distributing {1 + len(more)} images out of total 2: {{[Error 0] [InternalOperationError: No.]}}"
    )
