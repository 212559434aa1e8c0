"""The api-version that every call must name."""

from __future__ import annotations

import re

from aib_emulator.arm.errors import ArmError

FORM = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?")


def check_api_version(text: str) -> None:
    """Refuse a missing or malformed api-version; any well-formed one is served."""
    if not text:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not FORM.fullmatch(text):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{text}' is invalid.")
