"""Programs that only tests run: a test of one that is not there is skipped, unless somebody insists on it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = "AIB_CLIENTS_REQUIRED"
"""The variable that names the clients whose tests must not be skipped: az, azcopy, old."""


def needs(client: str, lack: str, environment: Mapping[str, str] = os.environ) -> pytest.MarkDecorator:
    """Skip a test for want of a client; where that is required, let it run and fail.

    :param client: its name in the variable
    :param lack: what is missing; empty where nothing is
    """
    is_required = client in environment.get(REQUIRED, "").split()
    return pytest.mark.skipif(bool(lack) and not is_required, reason=lack or "it is there")
