from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "how-to"
# Guides without a DAG have tests of their own.
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if "with DAG(" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_guide_shows_works(page: Path) -> None:
    """The Python of each guide runs from top to bottom, and its first part makes a DAG with a rebuild in it."""
    blocks = re.findall(r"(?s)```python\n(.*?)```", page.read_text())
    blocks[0] = re.sub(r"(?m)^(with DAG\(.*\)):$", r"\1 as dag:", blocks[0])
    names: dict[str, Any] = {}

    for block in blocks:
        exec(block, names)  # noqa: S102 - our own documentation

    assert "image_rebuild.publish" in names["dag"].task_ids
