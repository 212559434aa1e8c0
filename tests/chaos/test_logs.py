from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.logs import search_logs

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "eyJ0eXAiOiJKV1Qi.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlLW9mLWl0"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("signed in with made-up~1", "secret of the connection"),
        (f"Authorization: Bearer {TOKEN}", "bearer token"),
        ("GET https://localhost/a/b?sv=1&sig=Zm9vYmFyZm9vYmFyZm9v%3D", "signature"),
        ("AccountName=a;AccountKey=Zm9vYmFyZm9vYmFyZm9v==;", "account key"),
    ],
)
def test_a_secret_is_found_and_not_repeated(tmp_path: Path, line: str, name: str) -> None:
    """File, line and kind are told, the secret itself is not."""
    (tmp_path / "logs" / "task").mkdir(parents=True)
    (tmp_path / "logs" / "task" / "one.log").write_text(f"begin\n{line}\n")

    found = search_logs([tmp_path / "logs"], {"secret of the connection": "made-up~1"})

    assert found.secrets == (f"logs/task/one.log:2: {name}",)
    assert found.unclosed == ()


def test_an_unclosed_session_is_found(tmp_path: Path) -> None:
    """What aiohttp says of a session that nobody has closed is found with its place."""
    (tmp_path / "worker-1.log").write_text("Unclosed client session\n")
    (place,) = search_logs([tmp_path], {}).unclosed
    assert "worker-1.log:1" in place


def test_masked_secrets_are_none(tmp_path: Path) -> None:
    """What masking leaves is what may stand in a log."""
    (tmp_path / "task.log").write_text("?sv=1&sig=*** and Bearer *** and AccountKey=***\n")
    assert search_logs([tmp_path], {"password": "hush"}).secrets == ()
