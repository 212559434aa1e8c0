from __future__ import annotations

import pytest

from aib_emulator.caller import Caller, caller_of
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


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "("},
        {"client": "["},
        {"path": "[[a]"},
        {"action": "explode"},
        {"moment": "later"},
        {"probability": 2},
        {"bytes_per_second": 0},
        {"seconds": -1},
        {"retry_after": -1},
        {"headers": {"": "x"}},
        {"headers": {"a b": "x"}},
        {"headers": {"a\r\nb": "x"}},
        {"headers": {"a": "x\r\nb: y"}},
        {"headers": {"a": 1}},
        {"headers": {"content-length": "3"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
    ],
)
def test_a_senseless_fault_is_refused(wrong: dict[str, object]) -> None:
    """A fault that could never strike as meant is not accepted."""
    with pytest.raises(FaultError):
        Fault(**wrong)  # type: ignore[arg-type] # wrong on purpose


def test_the_same_seed_has_the_same_strikes() -> None:
    """A fault with a probability strikes the same calls whenever it is planned with the same seed."""

    def strikes(seed: int) -> list[bool]:
        faults = Faults()
        faults.plan(Fault(probability=0.5, count=None, seed=seed))
        return [faults.strike("GET", "/x") is not None for _ in range(40)]

    assert strikes(7) == strikes(7)
    assert strikes(7) != strikes(8)
    assert 5 < sum(strikes(7)) < 35


def test_a_fault_without_a_count_strikes_until_it_is_removed() -> None:
    """`count=None` never is used up."""
    faults = Faults()
    fault = faults.plan(Fault(count=None))
    assert all(faults.strike("GET", "/x") for _ in range(100))
    assert (faults.remove(fault.fault_id), faults.remove(fault.fault_id)) == (True, False)
    assert faults.strike("GET", "/x") is None
    assert fault.struck == 100


@pytest.mark.parametrize(
    ("client", "is_struck"), [("", True), ("sdk-python", True), ("APP-1", True), ("app", False), ("azcopy", False)]
)
def test_a_fault_can_be_about_one_client(client: str, is_struck: bool) -> None:
    """A client is named by its application id, or by a piece of its user agent."""
    faults = Faults()
    faults.plan(Fault(client=client))
    caller = Caller("an SDK-Python program", "app-1")
    assert (faults.strike("GET", "/x", caller) is not None) is is_struck


@pytest.mark.parametrize(
    ("headers", "form", "application_id"),
    [
        ({}, b"grant_type=client_credentials&client_id=app-1", "app-1"),
        ({"Authorization": "Bearer e30.eyJhcHBpZCI6ImFwcC0yIn0.sig"}, b"", "app-2"),
        ({"Authorization": "Bearer nonsense"}, b"", ""),
        ({"Authorization": "Bearer a.!!.c"}, b"", ""),
        ({"Authorization": "SharedKey a:b"}, b"", ""),
    ],
)
def test_a_caller_is_known_by_its_token_or_sign_in(headers: dict[str, str], form: bytes, application_id: str) -> None:
    """The application id stands in the token, or in the form that asks for one."""
    assert caller_of(headers, form).application_id == application_id


def test_used_up_faults_are_still_listed() -> None:
    """A fault that has struck as often as planned still tells how often that was."""
    faults = Faults()
    fault = faults.plan(Fault(path="/a"))
    faults.strike("GET", "/a")
    assert (faults.all(), faults.pending(), fault.struck) == ([fault], [], 1)


def test_only_so_many_used_up_faults_are_kept() -> None:
    """However many faults are planned, the list does not grow for ever."""
    faults = Faults()
    for _ in range(1500):
        faults.plan(Fault())
        faults.strike("GET", "/x")
    assert len(faults.all()) == 1000


@pytest.mark.parametrize(("action", "moment"), [("status", "before"), ("delay", "before"), ("truncated", "after")])
def test_each_action_has_its_usual_moment(action: str, moment: str) -> None:
    """What spoils the true answer strikes afterwards, the rest before, unless told otherwise."""
    assert Fault(action=action).moment == moment
    assert Fault(action=action, moment="after").moment == "after"


def test_the_next_try_can_be_asked_to_wait() -> None:
    """Both headers that Azure's clients obey can be planned as numbers."""
    fault = Fault(retry_after=3, retry_after_ms=50, headers={"a": "b"})
    assert fault.answer_headers() == {"Retry-After": "3", "x-ms-retry-after-ms": "50", "a": "b"}
