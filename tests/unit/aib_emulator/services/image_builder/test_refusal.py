from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.refusal import bad_value, operation_not_allowed


@pytest.mark.parametrize(
    ("value", "shown"),
    [("eastsu", "eastsu"), (None, ""), (True, "true"), ({"a": [1, None]}, '{"a": [1, null]}')],
)
def test_a_bad_value_is_shown_as_the_document_has_it(value: Any, shown: str) -> None:
    """A text stands as it is, and everything else as JSON."""
    message = bad_value("ImageTemplate", "tags", value).message
    assert f"'ImageTemplate': Field 'tags' has a bad value: '{shown}'. " in message


@pytest.mark.parametrize(
    ("operation", "run_state", "said"),
    [
        ("delete", "", "Operation 'DELETE' is not allowed in provisioningState: 'creating'"),
        ("write", "", "imageTemplates/write is not allowed in provisioning state: creating."),
        (
            "delete",
            "running",
            "imageTemplates/delete is not allowed in provisioning state: creating or run state: running.",
        ),
    ],
)
def test_a_run_that_never_was_has_no_state(operation: str, run_state: str, said: str) -> None:
    """Where nothing ever ran no refusal speaks of a run; that of a deletion is worded as reported."""
    assert operation_not_allowed(operation, "creating", run_state).message.endswith(said)
