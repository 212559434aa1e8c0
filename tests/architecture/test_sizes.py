from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400
# Files that are longer, and why that is better than two.
LONGER: dict[str, str] = {}


@pytest.mark.parametrize("package", ["airflow_aib", "aib_emulator", "demo"])
def test_no_file_is_too_long(package: str) -> None:
    """What does not fit into 400 lines is two things, unless a reason stands in the table."""
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in (ROOT / package).rglob("*.py")
    }

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES and name not in LONGER} == {}
    assert [name for name in LONGER if name.startswith(package) and lengths.get(name, 0) <= MOST_LINES] == []
