from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.promises import BAD_END, GOOD_END, PROMISES, Record, StagedFile, least_builds, violations
from tests.chaos.schedule import Build

GOOD = Build("one", "good", deferrable=True)
SCRIPT = Build("two", "script", deferrable=False)
QUOTA = Build("three", "quota", deferrable=True)
KEPT = Record(
    builds=(GOOD, SCRIPT, QUOTA),
    unfinished=(),
    task_states={"one": GOOD_END, "two": BAD_END, "three": GOOD_END},
    run_states={"one": ["Succeeded"], "two": ["Failed"], "three": ["Failed", "Succeeded"]},
    cancels=(),
    staged=(
        StagedFile("one", "log", "customization.log", "a"),
        StagedFile("one", "vhd", "disk.vhd", "b"),
        StagedFile("two", "log", "customization.log", "c"),
        StagedFile("three", "log", "customization.log", "d"),
        StagedFile("three", "vhd", "disk.vhd", "e"),
    ),
    saved=frozenset("abcde"),
    unclosed=(),
    secrets=(),
)
RUNS = KEPT.run_states
BREAKS: list[tuple[str, dict[str, Any], str]] = [
    ("no build is forgotten", {"run_states": {**RUNS, "one": []}}, "one (good) was to run 1 times, and ran 0"),
    ("no build is forgotten", {"run_states": {**RUNS, "three": ["Failed"]}}, "three (quota) was to run 2 times"),
    ("no build runs twice", {"run_states": {**RUNS, "one": ["Succeeded", "Succeeded"]}}, "one (good)"),
    ("no build runs twice", {"run_states": {**RUNS, "four": ["Succeeded"]}}, "four ran, and nobody"),
    ("no build runs twice", {"run_states": {**RUNS, "two": ["Failed"] * 2}}, "two (script)"),
    ("every build is over in time", {"unfinished": ("one",)}, "one: create success, run success"),
    ("every build is over in time", {"unfinished": ("one",), "task_states": {}}, "one: not begun"),
    ("no build is cancelled without cause", {"cancels": ("one",)}, "one: somebody asked"),
    ("no build is cancelled without cause", {"run_states": {**RUNS, "one": ["Canceled"]}}, "one: its runs"),
    (
        "every task ends in its right state",
        {"task_states": {**KEPT.task_states, "one": {**GOOD_END, "run": "deferred"}}},
        "run is deferred, not success",
    ),
    ("every task ends in its right state", {"task_states": {"two": BAD_END, "three": GOOD_END}}, "create is None"),
    (
        "every task ends in its right state",
        {"task_states": {**KEPT.task_states, "two": GOOD_END}},
        "run is success, not failed",
    ),
    ("every build ends as Azure lets it", {"run_states": {**RUNS, "one": ["Failed"]}}, "not {'Succeeded': 1}"),
    ("every log is archived line for line", {"saved": frozenset("bcde")}, "one: nothing in the user's storage"),
    ("every log is archived line for line", {"staged": KEPT.staged[1:]}, "one: 1 of its runs succeeded"),
    ("every VHD is copied and equal", {"saved": frozenset("abcd")}, "three: nothing in the user's storage"),
    ("every VHD is copied and equal", {"staged": KEPT.staged[:-1]}, "three: 1 of its runs succeeded"),
    ("every session is closed", {"unclosed": ("worker-1.log:3: Unclosed client session",)}, "worker-1.log:3"),
    ("no secret stands in a log", {"secrets": ("api-server.log:9: bearer token",)}, "api-server.log:9"),
]


def test_what_is_as_promised_breaks_nothing() -> None:
    """Good builds, failed ones and retried ones, as they have to be."""
    assert violations(KEPT) == []


@pytest.mark.parametrize(("promise", "changed", "words"), BREAKS)
def test_each_promise_can_be_broken(promise: str, changed: dict[str, Any], words: str) -> None:
    """A record that differs in one fact breaks that promise, and the words say how."""
    found = violations(replace(KEPT, **changed))
    assert [words in str(violation) for violation in found if violation.promise == promise].count(True) == 1


def test_no_promise_is_beyond_breaking() -> None:
    """Each promise stands in the table above."""
    assert {promise for promise, _, _ in BREAKS} == set(PROMISES)


def test_of_a_build_that_is_not_over_only_that_is_judged() -> None:
    """It may have no log yet, and no run; but what ran twice has run twice."""
    cut_short = replace(KEPT, unfinished=("one", "two"), saved=frozenset("de"), run_states={**RUNS, "one": []})
    assert {violation.promise for violation in violations(cut_short)} == {"every build is over in time"}
    twice = replace(cut_short, run_states={**RUNS, "one": ["Running"] * 2})
    assert violations(twice)[0].promise == "no build runs twice"


def test_the_first_violation_is_that_of_the_first_promise() -> None:
    """A lost build comes before the log that it has not left."""
    broken = replace(KEPT, run_states={**RUNS, "one": []}, secrets=("somewhere: password",))
    assert violations(broken)[0].promise == "no build is forgotten"


@pytest.mark.parametrize(("wanted", "least"), [(100, 60), (200, 60), (30, 18), (6, 4)])
def test_too_few_builds_prove_nothing(wanted: int, least: int) -> None:
    """Sixty builds are the least of the full mode; a small one has to come to most of what it wants."""
    assert least_builds(wanted) == least
