from __future__ import annotations

import math

import pytest

from airflow_aib.hooks.polling.plan import (
    FIRST_BAR,
    LIST_MEMORY,
    LONGEST_BAR,
    Ask,
    ListFacts,
    Listing,
    Scope,
    Single,
    WantedLook,
    plan,
)
from airflow_aib.hooks.polling.read_budget import BUCKET_SIZE, RESERVE

NOW = 1_000_000.0
GROUP = Scope("s", "images")
BODY = 12 * 1024


def wanted(
    name: str = "base", scope: Scope = GROUP, *, asked: float = -30, due: float = 0, in_person: bool = False
) -> WantedLook:
    """Want a look, at moments as seen from now."""
    return WantedLook(f"{scope}/{name}", scope, NOW + asked, NOW + due, in_person)


def fleet(count: int, scope: Scope = GROUP, **moments: float) -> list[WantedLook]:
    """Want a look at each of many image templates."""
    return [
        wanted(str(number), scope, asked=moments.get("asked", -30), due=moments.get("due", 0))
        for number in range(count)
    ]


def known(image_templates: int, *, at: float = 0) -> ListFacts:
    """Know what a list has shown."""
    facts = ListFacts()
    facts.learn(image_templates, math.ceil(image_templates / 100), image_templates * BODY, NOW + at)
    return facts


def kinds(asks: list[Ask]) -> list[str]:
    """Say in a word each what is asked for."""
    return [
        f"list {ask.scope.resource_group_name or 'all'}" if isinstance(ask, Listing) else f"get {len(ask.wanted)}"
        for ask in asks
    ]


def test_nothing_is_sent_while_nothing_is_due() -> None:
    """A look that is not due yet costs nothing."""
    assert plan(fleet(50, due=1), NOW, {}) == []


def test_one_wait_is_a_request_of_its_own() -> None:
    """A list for one image template would bring more than is needed."""
    assert kinds(plan([wanted()], NOW, {})) == ["get 1"]


def test_waits_for_one_image_template_share_a_request() -> None:
    """Two waits that look at the same image template are one request."""
    assert kinds(plan([wanted(), wanted()], NOW, {})) == ["get 2"]


def test_many_waits_of_a_resource_group_are_a_list() -> None:
    """A hundred looks in one resource group are one request, the first time as well."""
    (ask,) = plan(fleet(100), NOW, {})

    assert isinstance(ask, Listing)
    assert ask.scope == GROUP
    assert len(ask.wanted) == 100


@pytest.mark.parametrize(("others", "expected"), [(0, "list images"), (300, "list images"), (5000, "get 1")])
def test_a_list_is_chosen_by_what_it_has_cost(others: int, expected: str) -> None:
    """A resource group full of other image templates is not listed for a few waits."""
    asks = plan(fleet(100), NOW, {GROUP: known(100 + others)})

    assert kinds(asks)[0] == expected


def test_what_was_learned_long_ago_counts_no_more() -> None:
    """Image templates come and go: after an hour a list is tried anew."""
    asks = plan(fleet(100), NOW, {GROUP: known(9000, at=-LIST_MEMORY - 1)})

    assert kinds(asks) == ["list images"]


def test_looks_that_are_ripe_go_along() -> None:
    """When one look is due, those that would be due soon are brought by the same list."""
    asks = plan([wanted("due"), *fleet(80, asked=-25, due=5)], NOW, {GROUP: known(81)})

    assert kinds(asks) == ["list images"]


def test_looks_that_are_fresh_do_not_make_a_list() -> None:
    """One short interval among many long ones is served by itself."""
    asks = plan([wanted("due"), *fleet(500, asked=-5, due=25)], NOW, {GROUP: known(501)})

    assert kinds(asks) == ["get 1"]


def test_no_more_single_requests_are_due_at_a_moment_than_the_bucket_has() -> None:
    """They would be late, each by what the bucket needs to fill again; a list is large, but it is there."""
    due = fleet(int(BUCKET_SIZE - RESERVE))

    asks = plan([*due, *fleet(2800, asked=-1, due=29)], NOW, {GROUP: known(3000)})

    assert kinds(asks) == ["list images"]


def test_a_list_brings_all_looks_of_its_scope() -> None:
    """Whoever waits in the scope has a new look by a list, due or not."""
    (ask,) = plan([*fleet(100), *fleet(7, asked=0, due=30)], NOW, {})

    assert len(ask.wanted) == 107


def test_many_small_resource_groups_are_a_list_of_the_subscription() -> None:
    """A thousand waits in as many resource groups are few requests."""
    looks = [wanted("base", Scope("s", f"group-{number}")) for number in range(1000)]

    assert kinds(plan(looks, NOW, {})) == ["list all"]


def test_subscriptions_do_not_meet() -> None:
    """A list shows one subscription's image templates only."""
    asks = plan([*fleet(100), *fleet(100, Scope("t", "images"))], NOW, {})

    assert sorted(ask.scope.subscription_id for ask in asks if isinstance(ask, Listing)) == ["s", "t"]


def test_looks_in_person_are_never_listed() -> None:
    """A look that decides is a request of its own, also among a hundred."""
    asks = plan([*fleet(100), wanted("mine", in_person=True)], NOW, {})

    assert kinds(asks) == ["get 1", "list images"]
    assert isinstance(asks[0], Single)
    assert asks[0].wanted[0].in_person


def test_looks_under_way_are_not_sent_twice() -> None:
    """Until its answer is there a look is not planned again."""
    look = wanted()
    look.is_open = False

    assert plan([look], NOW, {}) == []


def test_a_list_that_failed_is_done_without_for_a_while() -> None:
    """After a failure there are single requests, then lists again; each further one doubles the time, to a bound."""
    facts = ListFacts()
    facts.fail(NOW)
    assert isinstance(plan(fleet(100), NOW, {GROUP: facts})[0], Single)
    assert facts.weight(100, NOW + FIRST_BAR) < math.inf

    facts.fail(NOW)
    assert facts.weight(100, NOW + FIRST_BAR) == math.inf
    for _ in range(20):
        facts.fail(NOW)
    assert facts.weight(100, NOW + LONGEST_BAR) < math.inf


def test_a_list_that_is_forbidden_is_done_without_for_good() -> None:
    """Who may not list looks at each image template by itself, however many, and however long."""
    facts = ListFacts()
    facts.forbid()

    assert len(plan(fleet(1000), NOW + 1e9, {GROUP: facts, GROUP.whole: facts})) == 1000
