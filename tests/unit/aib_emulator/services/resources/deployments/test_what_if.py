from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.resources.deployments.what_if import differences


@pytest.mark.parametrize(
    ("after", "before", "paths"),
    [
        ({"a": 1}, {"a": 1, "provisioningState": "Succeeded"}, []),
        ({"a": {"B": 1}}, {"A": {"b": 1}}, []),
        ({"a": {"b": 2, "c": 3}}, {"a": {"b": 1}}, ["a.b", "a.c"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "made": "up"}]}, []),
        ({"a": [1, 2]}, {"a": [1]}, ["a"]),
        ({"location": "East US"}, {"location": "eastus"}, []),
        ({"id": "/subscriptions/S/x"}, {"id": "/subscriptions/s/X"}, []),
    ],
)
def test_differences(after: Any, before: Any, paths: list[str]) -> None:
    """What the service adds, and how it writes names, is no change."""
    assert [found["path"] for found in differences(after, before)] == paths
