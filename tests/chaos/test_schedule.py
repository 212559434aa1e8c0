from __future__ import annotations

import itertools
from dataclasses import fields

import pytest

from aib_emulator.failures import PlannedFailure
from aib_emulator.faults import ACTIONS, Fault
from aib_emulator.services.image_builder.failure_catalogue import completed
from tests.chaos.schedule import (
    FAILURES,
    FATES,
    FAULT_SHARE,
    FAULTS,
    LARGEST_GAP,
    LEAST_GAP,
    TARGETS,
    builds,
    faults,
    strikes,
)


def test_the_same_seed_gives_the_same_schedule() -> None:
    """What is killed when, what is built and what goes wrong is decided by the seed alone."""
    assert strikes(7, 600) == strikes(7, 600)
    assert builds(7, 100) == builds(7, 100)
    assert faults(7) == faults(7)


def test_another_seed_gives_another_schedule() -> None:
    """Seeds differ in all three."""
    assert strikes(7, 600) != strikes(8, 600)
    assert builds(7, 100) != builds(8, 100)
    assert faults(7) != faults(8)


def test_a_shorter_time_has_the_same_beginning() -> None:
    """The small mode strikes as the full one does, and ends earlier."""
    assert strikes(7, 600)[: len(strikes(7, 120))] == strikes(7, 120)


@pytest.mark.parametrize("seed", range(5))
def test_every_target_is_struck_before_one_is_struck_again(seed: int) -> None:
    """No kind of process is spared by chance."""
    found = [strike.target for strike in strikes(seed, 600)]
    assert len(found) > 3 * len(TARGETS)
    for first in range(0, len(found) - len(TARGETS), len(TARGETS)):
        assert sorted(found[first : first + len(TARGETS)]) == sorted(TARGETS)


def test_strikes_keep_their_distance() -> None:
    """They come in the order of time, neither all at once nor too rarely."""
    times = [strike.at for strike in strikes(7, 600)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= LEAST_GAP - 0.1
    assert max(gaps) <= LARGEST_GAP + 0.1
    assert times[-1] < 600


@pytest.mark.parametrize("count", [4, 6, 60, 100])
def test_each_fate_comes_and_each_name_once(count: int) -> None:
    """So many builds are asked for, all of different names, good and failing ones, waited for in both ways."""
    found = builds(1, count)
    assert len({build.name for build in found}) == count
    assert {build.fate for build in found} == set(FATES)
    assert {build.deferrable for build in found} == {True, False}


def test_most_builds_are_good() -> None:
    """Failures are rare, as they are in earnest."""
    found = [build.fate for build in builds(3, 100)]
    assert found.count("good") > 50


def test_faults_strike_the_promised_share_of_calls() -> None:
    """A call passes only if every planned fault misses it."""
    missed = 1.0
    for fault in faults(1):
        probability = fault["probability"]
        assert isinstance(probability, float)
        missed *= 1 - probability
    assert missed == pytest.approx(1 - FAULT_SHARE)


def test_every_action_of_the_emulator_is_among_the_faults() -> None:
    """No kind of fault that the emulator can plan is left out, and it takes each of them."""
    assert {fault["action"] for fault in FAULTS} == set(ACTIONS)
    known = {field.name for field in fields(Fault)}
    for fault in faults(1):
        assert set(fault) <= known
        Fault(**fault)  # type: ignore[arg-type] # refuses what makes no sense


def test_the_emulator_knows_every_failure() -> None:
    """What befalls a build is a failure that the emulator can plan."""
    for failure in FAILURES.values():
        completed(PlannedFailure(**failure, image_template="one"))  # type: ignore[arg-type] # as above
