from __future__ import annotations

import pytest

from aib_emulator.blob_front.source import is_own_address


@pytest.mark.parametrize("url", ["https://127.0.0.1:10/a/c/b", "https://localhost:10/a/c/b?sig=x"])
def test_loopback_names_are_one_endpoint(url: str) -> None:
    """The endpoint is the same under every loopback name."""
    assert is_own_address(url, "127.0.0.1:10")


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:11/a", "https://acct.blob.core.windows.net/c/b", "nonsense", "https://127.0.0.1:x/a"]
)
def test_other_addresses_are_not_ours(url: str) -> None:
    """Another port or host is another endpoint."""
    assert not is_own_address(url, "127.0.0.1:10")
