from __future__ import annotations

from tests.bench.sections.copies import verdict


def test_where_another_way_would_be_quicker_is_said() -> None:
    """The emulator's Copy Blob takes no time: by how much it may be slower elsewhere is what can be told."""
    assert verdict(4.0, 9.5) == "Here pieces would be quicker if Copy Blob took longer than 5.5 s."
    assert verdict(9.5, 4.0) == "Here pieces were quicker, by 5.5 s, even so."
