from __future__ import annotations

import pytest

from demo.waiting import DemoError, wait_for


def test_the_first_thing_found_is_returned() -> None:
    """Looking goes on until there is something other than None."""
    answers = iter([None, None, 0])

    assert wait_for(lambda: next(answers), seconds=5, what="a number", interval=0) == 0


def test_the_deadline_names_what_was_waited_for() -> None:
    """Waiting in vain is an error that says for what, and how long."""
    with pytest.raises(DemoError, match="waited 0 s in vain for the moon"):
        wait_for(lambda: None, seconds=0, what="the moon", interval=0)


def test_there_is_one_look_after_a_deadline_of_nothing() -> None:
    """Even with no time at all one look is taken."""
    assert wait_for(lambda: "here", seconds=0, what="it") == "here"
