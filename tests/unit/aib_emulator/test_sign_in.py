from __future__ import annotations

import pytest

from aib_emulator.sign_in import ENTRA_ERRORS, SignInRefusal, SignInRefusalError, SignInRefusals


@pytest.mark.parametrize("code", ENTRA_ERRORS)
def test_a_number_says_the_rest(code: int) -> None:
    """Status, OAuth's word and sentence follow from Entra's number."""
    refusal = SignInRefusal(code=code)
    known = ENTRA_ERRORS[code]
    assert (refusal.status, refusal.error, refusal.message) == (known.status, known.error, known.message)


@pytest.mark.parametrize(
    ("plan", "status", "code"),
    [({}, 401, 7000215), ({"status": 503}, 503, 90033), ({"code": 12345}, 400, 12345), ({"status": 400}, 400, 7000215)],
)
def test_what_is_not_said_is_filled_in(plan: dict[str, int], status: int, code: int) -> None:
    """A refusal without a number is that of a wrong secret, one by the server's fault a passing error."""
    refusal = SignInRefusal(**plan)  # type: ignore[arg-type] # a case of the table
    assert (refusal.status, refusal.code) == (status, code)


@pytest.mark.parametrize("plan", [{"status": 200}, {"status": 700}, {"count": 0}])
def test_what_refuses_nothing_is_refused(plan: dict[str, int]) -> None:
    """A plan that could refuse no sign-in is not accepted."""
    with pytest.raises(SignInRefusalError):
        SignInRefusal(**plan)  # type: ignore[arg-type] # wrong on purpose


def test_refusals_come_in_the_order_of_their_planning() -> None:
    """Each refuses as many as planned, then the next one does, then nobody."""
    refusals = SignInRefusals()
    refusals.plan(SignInRefusal(count=2, code=90002))
    refusals.plan(SignInRefusal(code=53003, retry_after=3))
    struck = [refusals.strike() for _ in range(4)]
    assert [refusal and refusal.code for refusal in struck] == [90002, 90002, 53003, None]
    assert struck[2] is not None
    assert struck[2].headers() == {"Retry-After": "3"}
