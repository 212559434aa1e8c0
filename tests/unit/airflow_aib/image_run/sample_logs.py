"""The sample logs, written by hand in both recorded forms."""

from __future__ import annotations

from pathlib import Path

LOGS = Path(__file__).resolve().parents[3] / "logs"


def sample_log(name: str) -> str:
    """Return the text of a sample log."""
    return (LOGS / f"{name}.log").read_text(encoding="utf-8")
