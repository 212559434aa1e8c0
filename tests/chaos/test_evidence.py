from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.evidence import account_keys
from tests.chaos.logs import search_logs

if TYPE_CHECKING:
    from pathlib import Path

    from aib_emulator.server import EmulatorThread


def test_a_storage_accounts_key_is_found_wherever_it_stands(emulator: EmulatorThread, tmp_path: Path) -> None:
    """Both keys of each account are searched for as they are, without any word that would announce them."""
    keys = account_keys(emulator.emulator.environment())
    (tmp_path / "task.log").write_text(f"good\nopened with {keys['key2 of storage account imagestore']}\n")

    assert "key1 of storage account imagestore" in keys
    assert search_logs([tmp_path], keys).secrets == (f"{tmp_path.name}/task.log:2: key2 of storage account imagestore",)
