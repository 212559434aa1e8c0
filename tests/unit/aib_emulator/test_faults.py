from __future__ import annotations

import pytest

from aib_emulator.faults import Fault, FaultError, Faults


def test_a_fault_strikes_as_often_as_planned() -> None:
    """After its count a fault lets calls pass."""
    faults = Faults()
    faults.plan(Fault(method="GET", path="/operations/", count=2))
    struck = [faults.strike("GET", "/x/operations/1") is not None for _ in range(3)]
    assert struck == [True, True, False]
    assert faults.pending() == []


def test_a_fault_may_let_some_calls_pass_first() -> None:
    """`skip` fitting calls pass before the first strike."""
    faults = Faults()
    faults.plan(Fault(path="/run$", skip=1))
    assert [faults.strike("POST", "/t/run") is not None for _ in range(3)] == [False, True, False]


def test_a_fault_strikes_only_what_fits() -> None:
    """Method and path must both fit, the path in any casing."""
    faults = Faults()
    faults.plan(Fault(method="post", path="/RUN$"))
    assert faults.strike("GET", "/t/run") is None
    assert faults.strike("POST", "/t/cancel") is None
    assert faults.strike("POST", "/t/run") is not None


@pytest.mark.parametrize("wrong", [{"path": "("}, {"action": "explode"}, {"moment": "later"}])
def test_a_senseless_fault_is_refused(wrong: dict[str, str]) -> None:
    """A fault that could never strike as meant is not accepted."""
    with pytest.raises(FaultError):
        Fault(**wrong)  # type: ignore[arg-type] # wrong on purpose
