from __future__ import annotations

import pytest

from tests.bench.run import PAGE, SECTIONS
from tests.bench.section import Section, goals, row


def test_ratios_come_first() -> None:
    """A row begins with what is to be compared; without a peer there is nothing to compare with."""
    assert row("requests", 7, 1400) == "| requests | **0.01** | 7 | 1,400 |"
    assert row("lists", 6, 0, places=1) == "| lists | **-** | 6.0 | 0.0 |"


@pytest.mark.parametrize(
    ("reached", "most", "words"),
    [
        (0.03, 0.1, "0.1 | 0.03 | yes"),
        (1.5, 1.2, "1.2 | 1.5 | no, 25% more"),
        (2, 0, "0 | 2 | no"),
        (0, 0, "0 | 0 | yes"),
    ],
)
def test_a_goal_that_was_missed_says_by_how_much(reached: float, most: float, words: str) -> None:
    """Whatever comes out, the page says whether it is what was wanted."""
    assert goals(("time", reached, most)).splitlines()[-1] == f"| time | {words} |"


def test_the_load_is_told() -> None:
    """Figures of a busy machine are known by it."""
    section = Section("some", "## Some\n\n{figure}\n\n", lambda _: {"figure": 5})

    assert section.written(PAGE).startswith("## Some\n\n5\n\nLoad of the machine when measuring began: ")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_section_is_on_the_page(section: Section) -> None:
    """What can be measured has been, and a run that leaves a section out keeps it."""
    page = PAGE.read_text(encoding="utf-8")

    assert len(section.kept(page).splitlines()) > 5
    assert section.kept(page) in page
