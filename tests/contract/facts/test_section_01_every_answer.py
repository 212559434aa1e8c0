"""What is true of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.facts.calls_of_facts import CALLS, answers
from tests.contract.image_builder.calls import IMAGE_TEMPLATES, ONE, document

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


def test_identities_are_echoed_as_sent(raw: RawArm) -> None:
    """The keys of the identity come back with the casing that they were sent with."""
    body = document(raw.settings.subscription_id)
    (sent,) = body["identity"]["userAssignedIdentities"]
    odd = sent.replace("resourceGroups", "RESOURCEgroups").replace("image-builder", "Image-Builder")
    body["identity"]["userAssignedIdentities"] = {odd: {}}
    assert list(raw.send("PUT", ONE, body).json()["identity"]["userAssignedIdentities"]) == [odd]
    raw.thread.control.advance(60)
    shown = raw.send("GET", ONE).json()["identity"]["userAssignedIdentities"]
    assert {name: sorted(value) for name, value in shown.items()} == {odd: ["clientId", "principalId"]}


def test_the_request_id_is_the_operations(raw: RawArm) -> None:
    """Whatever starts an operation has its id as x-ms-request-id."""
    found = answers(raw)
    for name, (_, _, _, headers) in CALLS.items():
        for header in headers:
            operation = found[name].headers[header].partition("?")[0].rpartition("/")[2]
            assert operation == found[name].headers["x-ms-request-id"], name


@pytest.mark.parametrize(
    ("name", "kind", "left"),
    [("put", "writes", 199), ("run", "writes", 199), ("patch", "writes", 199), ("delete", "deletes", 199)],
)
def test_rate_limits_are_those_of_the_kind_of_call(raw: RawArm, name: str, kind: str, left: int) -> None:
    """Writes, deletes and reads are counted apart, each for the caller and for everybody."""
    headers = answers(raw)[name].headers
    prefix = "x-ms-ratelimit-remaining-subscription-"
    limits = {header[len(prefix) :]: int(headers[header]) for header in headers if header.lower().startswith(prefix)}
    assert limits == {kind: left, f"global-{kind}": 2999}


def test_nobody_asks_for_patience(raw: RawArm) -> None:
    """No answer has a Retry-After, neither those that start an operation nor those of polls and reads."""
    found = answers(raw)
    polls = [
        raw.send("GET", answer.headers["Azure-AsyncOperation"]) for name, answer in found.items() if CALLS[name][3]
    ]
    reads = [raw.send("GET", path) for path in (ONE, IMAGE_TEMPLATES)]
    assert [answer.url for answer in (*found.values(), *polls, *reads) if "Retry-After" in answer.headers] == []
