from __future__ import annotations

import pytest

from aib_emulator.blob_front.errors import code_of


def test_code_in_the_body_becomes_the_code_in_the_header() -> None:
    """An error answer that names its code in the body only keeps that code."""
    assert code_of(404, b"<Error><Code>BlobNotFound</Code></Error>") == "BlobNotFound"


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (404, "ResourceNotFound"), (418, "InvalidInput")])
def test_answer_without_any_code_gets_one_by_its_status(status: int, code: str) -> None:
    """Clients decide by the code whether to try again, so there is always one."""
    assert code_of(status, b"") == code
