from __future__ import annotations

import pytest

from tests.contract.needed import REQUIRED, needs


@pytest.mark.parametrize(
    ("lack", "required", "is_skipped"),
    [("", "", False), ("az is not installed", "old", True), ("az is not installed", "old az", False)],
)
def test_a_client_that_is_required_is_not_skipped(lack: str, required: str, *, is_skipped: bool) -> None:
    """Only what is missing is skipped, and only where nobody insists on it."""
    assert needs("az", lack, {REQUIRED: required}).mark.args == (is_skipped,)
