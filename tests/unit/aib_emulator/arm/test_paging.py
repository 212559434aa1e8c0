"""Lists in pages: what a client that follows `nextLink` gets to see."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from aib_emulator.arm.call import Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.paging import page


def named(*names: str) -> list[dict[str, str]]:
    """Return resources of these names."""
    return [{"id": f"/subscriptions/s/{name}"} for name in names]


def follow(link: str) -> Call:
    """Return the call that a client makes of a link."""
    return Call("GET", urlsplit(link).path, query=dict(parse_qsl(urlsplit(link).query)), base_url="https://arm")


def test_pages_follow_each_other() -> None:
    """Following the links of a list gives everything once, and keeps the rest of the query."""
    every = named("c", "B", "a", "e", "d")
    call, seen = Call("GET", "/list", query={"api-version": "2025-10-01"}, base_url="https://arm"), []
    for left in (3, 1, 0):
        answer = page(call, every, 2)
        seen += answer["value"]
        assert ("nextLink" in answer) is bool(left)
        if left:
            assert answer["nextLink"].startswith("https://arm/list?api-version=2025-10-01&$skiptoken=")
            call = follow(answer["nextLink"])
    assert seen == named("a", "B", "c", "d", "e")


def test_what_goes_meanwhile_hides_nothing() -> None:
    """A client that deletes each resource which a page shows comes to see all of them."""
    left = named(*"abcdefghi")
    call, seen = Call("GET", "/list"), 0
    while True:
        answer = page(call, left, 3)
        seen += len(answer["value"])
        left = [one for one in left if one not in answer["value"]]
        if "nextLink" not in answer:
            break
        call = follow(answer["nextLink"])
    assert (seen, left) == (9, [])


def test_a_link_may_be_relative() -> None:
    """It is then the path alone."""
    answer = page(Call("GET", "/list", base_url="https://arm"), named("a", "b"), 1, is_link_relative=True)
    assert answer["nextLink"].startswith("/list?$skiptoken=")


@pytest.mark.parametrize("token", ["", "junk", "-1", "0", "YQ==", "_w==", "\u00e9"])
def test_a_token_of_no_list_is_refused(token: str) -> None:
    """Whoever makes tokens up is not shown the first page for it."""
    with pytest.raises(ArmError, match=r"\$skiptoken") as refused:
        page(Call("GET", "/list", query={"$skiptoken": token}), named("a"), 1)
    assert (refused.value.status, refused.value.code) == (400, "InvalidSkipToken")
