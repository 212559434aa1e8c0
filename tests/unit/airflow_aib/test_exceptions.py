from __future__ import annotations

import pickle

import pytest

from airflow_aib import exceptions
from airflow_aib.exceptions import (
    ArmRequestError,
    ImageArtifactMissingError,
    ImageBuilderError,
    ImageRunError,
    ImageRunFailedError,
    ImageTemplateCheckError,
    ImageTemplateReadError,
    ImageTemplateRenderError,
    VhdCopyError,
)

ALL_ERRORS = [
    value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, ImageBuilderError)
]


def test_text_is_what_where_and_what_next() -> None:
    """The text of an error is its message, a full stop, and the hint."""
    assert str(ImageBuilderError("a.json has no source", hint="Add one.")) == "a.json has no source. Add one."


@pytest.mark.parametrize("ending", [".", "!", "?", ":", "\n"])
def test_no_second_full_stop(ending: str) -> None:
    """A message that has an end gets no further full stop."""
    assert str(ImageBuilderError(f"wrong{ending}", hint="Correct it.")) == f"wrong{ending} Correct it."


def test_text_without_hint() -> None:
    """Without a hint the text is the message."""
    assert str(ImageBuilderError("wrong")) == "wrong"


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_every_error_takes_message_hint_and_data(kind: type[ImageBuilderError]) -> None:
    """Each class of the tree can be raised with a message, a hint and any data."""
    error = kind("wrong", hint="Correct it.", place="here")

    assert (error.message, error.hint, error.data) == ("wrong", "Correct it.", {"place": "here"})


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_every_error_survives_pickling(kind: type[ImageBuilderError]) -> None:
    """An error that Airflow sends between processes keeps its text and data."""
    error = pickle.loads(pickle.dumps(kind("wrong", hint="Correct it.", place="here")))  # noqa: S301 - made right here

    assert type(error) is kind
    assert str(error) == "wrong. Correct it."
    assert error.data == {"place": "here"}


def test_arm_error_keeps_what_azures_support_asks_for() -> None:
    """A refusal of Azure keeps code, target, request id and status."""
    error = ArmRequestError("refused", code="Conflict", target="/subscriptions/s", request_id="r", status=409)

    assert (error.code, error.target, error.request_id, error.status) == ("Conflict", "/subscriptions/s", "r", 409)


def test_errors_carry_their_facts() -> None:
    """The errors of reading, rendering, checking, artifacts and copies carry what they are about."""
    assert ImageTemplateReadError("m", source="a.json", line=2, column=3).column == 3
    assert ImageTemplateRenderError("m", missing=["a", "b"]).missing == ("a", "b")
    assert ImageTemplateCheckError("m", findings=["f"]).findings == ("f",)
    assert ImageArtifactMissingError("m", run_output_names=["ro"]).run_output_names == ("ro",)
    assert VhdCopyError("m", source="s", destination="d").destination == "d"


def test_run_errors_are_one_family() -> None:
    """Whoever catches ImageRunError gets each way in which a run ends badly, with its template."""
    error = ImageRunFailedError("failed", image_template_id="/subscriptions/s")

    assert isinstance(error, ImageRunError)
    assert (error.image_template_id, error.last_run_status, error.diagnosis) == ("/subscriptions/s", None, None)


def test_the_tree_is_drawn() -> None:
    """The drawing at the top of the module names every class of the tree."""
    drawing = exceptions.__doc__ or ""

    assert [kind.__name__ for kind in ALL_ERRORS if kind.__name__ not in drawing] == []
