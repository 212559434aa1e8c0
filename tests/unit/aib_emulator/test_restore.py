from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from multidict import CIMultiDict

from aib_emulator.applications import Application
from aib_emulator.arm.operations import Operation, Operations
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.blob_front import BlobAccount, PendingCopy, SourceState, Target
from aib_emulator.failures import PlannedFailure
from aib_emulator.restore import codec_for
from aib_emulator.services.authorization.permissions import Permissions
from aib_emulator.services.authorization.shapes import RoleAssignment, RoleDefinition
from aib_emulator.services.compute.replication import RegionalCopy
from aib_emulator.services.compute.resources import Publication
from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.resources import ImageTemplate
from aib_emulator.services.image_builder.timeline import Phase, Timeline
from aib_emulator.services.image_builder.trigger import ImageTemplateTrigger
from aib_emulator.services.image_builder.words import Words
from aib_emulator.services.resources.deployments.deployment import Deployment
from aib_emulator.store import Resource

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
GROUP = ResourceId("s", "images")
SOURCE = SourceState(512, '"0x1"')
REGION = RegionalCopy("East US", START, START)
PHASE = Phase("queue", 0, START, START, 25.0)
FRESH: tuple[Any, ...] = (
    Application("client", "secret", "object"),
    BlobAccount("imagestore", ("a2V5", "a2V5")),
    CIMultiDict({"x-ms-copy-source": "https://127.0.0.1/imagestore/images/s"}),
    GROUP,
    ImageTemplate(GROUP, "eastus", {}, {}, {"distribute": []}),
    ImageTemplateTrigger("source", "SourceImage"),
    Operation("0", START),
    PendingCopy("c", Target("/imagestore/images/t"), CIMultiDict(), SOURCE, 10.0, None, START),
    Permissions(("*",)),
    PHASE,
    PlannedFailure(),
    PlannedFault("customizer"),
    Publication([REGION], "Creating", 30),
    REGION,
    Resource(GROUP, {"tags": {}}, START, START),
    RoleAssignment("n", "/subscriptions/s", "r", "p", "ServicePrincipal", START),
    RoleDefinition("n", "Builder", "CustomRole", (Permissions(("*",)),)),
    SOURCE,
    Target("/imagestore/images/t"),
    Timeline((PHASE,)),
    Words(),
)
"""One of each class that is kept, as it is when nothing has happened to it."""


@pytest.mark.parametrize("fresh", FRESH, ids=lambda fresh: type(fresh).__name__)
def test_what_was_just_made_is_put_back(fresh: Any) -> None:
    """An object that nothing has happened to yet is written, read, and the same as before."""
    codec = codec_for(Operations())
    assert codec.read(json.loads(json.dumps(codec.write(fresh)))) == fresh


def test_each_kept_class_is_tried() -> None:
    """Only deployments are missing above: they are read as a record, and made anew from their document."""
    assert codec_for(Operations()).kinds == {type(fresh) for fresh in FRESH} | {Deployment}


def test_a_failure_without_a_count_of_strikes_is_put_back() -> None:
    """Journals of earlier emulators do not say `struck` of a failure that had struck nothing."""
    codec = codec_for(Operations())
    written = codec.write(PlannedFailure())
    del written["struck"]
    assert codec.read(written).struck == 0
