from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_run.choices import require_policy
from airflow_aib.image_run.run_outcome import describe_unknown_names, judge_partial_success

if TYPE_CHECKING:
    from airflow_aib.image_run.choices import OnPartialSuccess, PartialPolicy


@pytest.mark.parametrize(
    ("choice", "missing", "expected"),
    [
        ("fail", ["vhd"], "fail"),
        ("warn", ["vhd"], "warn"),
        ("succeed", ["vhd", "gallery"], "succeed"),
        ("warn", [], "warn"),
        ({"vhd": "warn"}, ["vhd"], "warn"),
        ({"VHD": "succeed"}, ["vhd"], "succeed"),
        ({"vhd": "warn"}, ["gallery"], "fail"),
        ({"vhd": "warn"}, ["vhd", "gallery"], "fail"),
        ({"vhd": "succeed", "gallery": "warn"}, ["vhd", "gallery"], "warn"),
        ({"gallery": "fail", "*": "warn"}, ["vhd"], "warn"),
        ({"gallery": "fail", "*": "warn"}, ["vhd", "gallery"], "fail"),
        ({"vhd": "warn"}, [], "fail"),
        ({"*": "succeed"}, [], "succeed"),
        ({}, ["vhd"], "fail"),
    ],
)
def test_the_strictest_word_about_what_is_missing_counts(
    choice: OnPartialSuccess, missing: list[str], expected: PartialPolicy
) -> None:
    """Each distributor has its word, the others that of `*`, and nobody's word is for a run that lacks no image."""
    assert judge_partial_success(choice, missing) == expected


@pytest.mark.parametrize("choice", ["fail", "warn", "succeed", {}, {"vhd": "warn", "*": "fail"}])
def test_a_choice_that_is_one(choice: Any) -> None:
    """One word, or one for each name."""
    assert require_policy(choice) is choice


@pytest.mark.parametrize("choice", ["ignore", True, None, {"vhd": "maybe"}, {"vhd": None}, {5: "warn"}])
def test_a_choice_that_is_none_is_refused_while_the_dag_is_read(choice: Any) -> None:
    """A word that nobody knows is no silent failure hours later."""
    with pytest.raises(ValueError, match="it must be 'fail', 'warn' or 'succeed'"):
        require_policy(choice)


TWO_IMAGES = {"properties": {"distribute": [{"runOutputName": "gallery"}, {"runOutputName": "Disk"}]}}


@pytest.mark.parametrize("choice", ["warn", {}, {"gallery": "fail", "disk": "warn", "*": "warn"}])
def test_names_that_are_there_are_no_surprise(choice: OnPartialSuccess) -> None:
    """Letter case does not matter, as for the judgement."""
    assert describe_unknown_names(choice, TWO_IMAGES) == ""


def test_names_that_are_not_there_are_told_with_those_that_are() -> None:
    """A misspelt name would never be looked up, and an image that may lack would be an error."""
    told = describe_unknown_names({"gallerie": "warn", "disk": "warn"}, TWO_IMAGES)

    assert "speaks of 'gallerie', " in told
    assert told.endswith("it has 'gallery', 'Disk'.")


def test_nothing_is_said_of_an_image_template_that_is_not_known() -> None:
    """Where no distributors are told, no name can be wrong."""
    assert describe_unknown_names({"gallery": "warn"}, {}) == ""
