from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.hooks.identities import require_identities
from tests.fakes import FakeImageBuilder, fake_clients


@pytest.mark.parametrize("identity_id", ["", "image-builder", "/subscriptions/s/resourceGroups/images"])
async def test_what_is_no_identity_at_all_is_left_to_azure(identity_id: str) -> None:
    """An id that cannot be read keeps nobody from submitting; Azure says what is wrong with it."""
    body: dict[str, Any] = {"identity": {"userAssignedIdentities": {identity_id: {}}}}

    await require_identities(fake_clients(FakeImageBuilder()), body)
