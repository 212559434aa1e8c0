from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_aib.hooks.polling.pages import read_image_template, read_page
from airflow_aib.image_run.run_status import read_last_run_status
from tests.fakes import image_template, run_status

WHOLE = image_template(
    run_status("Running"),
    exactStagingResourceGroup="/subscriptions/s/resourceGroups/IT_1",
    stagingResourceGroup="/subscriptions/s/resourceGroups/mine",
    provisioningError={"message": "x"},
    customize=[{"type": "Shell", "inline": ["echo"] * 100}],
)


def sent(value: Any) -> bytes:
    """Write an answer."""
    return json.dumps(value, indent=2).encode()


def test_what_waits_need_is_kept_as_it_was() -> None:
    """Status, staging resource group, error, tags and id are read word for word; the rest is left."""
    body = read_image_template(sent(WHOLE))

    rest = {name: value for name, value in WHOLE["properties"].items() if name != "customize"}
    assert body == {**WHOLE, "properties": rest}
    assert read_last_run_status(body) == read_last_run_status(WHOLE)


def test_a_page_is_read_by_id() -> None:
    """Azure's spelling of an id varies: lower case finds it."""
    page = read_page(sent({"value": [WHOLE], "nextLink": "https://next"}))

    assert list(page.bodies) == [WHOLE["id"].lower()]
    assert page.next_link == "https://next"
    assert page.size == len(sent({"value": [WHOLE], "nextLink": "https://next"}))


def test_the_last_page_names_no_other() -> None:
    """An absent link and one that is null are the end."""
    assert read_page(b'{"value": []}').next_link is None
    assert read_page(b'{"value": [], "nextLink": null}').next_link is None


def test_members_of_unknown_kinds_do_not_spoil_a_page() -> None:
    """What one member holds is judged by whoever reads it."""
    odd = {"id": "/a", "tags": 5, "properties": {"lastRunStatus": [1], "provisioningState": {"a": 1}}}

    assert read_page(sent({"value": [odd]})).bodies["/a"] == odd


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"{}", b'{"value": 5}', b'{"value": [{"id": "/a"}]}', b"\xff"]
)
def test_what_is_no_page_is_said_to_be_none(content: bytes) -> None:
    """A senseless answer is an error, not an empty list: nothing may be concluded from it."""
    with pytest.raises(ValueError, match=r"\w"):
        read_page(content)


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b'{"properties": 5}', b"\xff"])
def test_what_is_no_image_template_is_said_to_be_none(content: bytes) -> None:
    """An answer without properties is no image template."""
    with pytest.raises(ValueError, match=r"\w"):
        read_image_template(content)
