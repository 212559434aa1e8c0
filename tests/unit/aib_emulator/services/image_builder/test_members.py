from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.members import IMAGE_TEMPLATE, IMAGE_TEMPLATE_UPDATE, PROPERTIES, read, shown
from aib_emulator.services.image_builder.refusal import RefusalError
from aib_emulator.services.image_builder.resources import render
from tests.unit.aib_emulator.services.image_builder.samples import (
    LATEST,
    SHELL,
    TO_GALLERY,
    TO_MANAGED_IMAGE,
    body,
    image_template,
)


def properties_of(api_version: str, **sent: Any) -> dict[str, Any]:
    """Read a document with these properties and return what is left of them."""
    found: dict[str, Any] = read(body(**sent), IMAGE_TEMPLATE, api_version)["properties"]
    return found


def test_kinds_are_written_in_alphabetical_order() -> None:
    """Sources, customizers and distributors come back with their members sorted, as recorded."""
    found = properties_of(LATEST)
    assert list(found["source"]) == ["offer", "publisher", "sku", "type", "version"]
    assert list(found["customize"][0]) == ["inline", "name", "type"]


def test_old_versions_ignore_case() -> None:
    """Before 2024-02-01 a member in the wrong case is the member."""
    found = properties_of("2022-07-01", customize=[{"Type": "Shell", "INLINE": ["true"]}])
    assert found["customize"] == [{"inline": ["true"], "type": "Shell"}]


def test_old_versions_drop_what_they_do_not_know() -> None:
    """Before 2024-02-01 an unknown member, or one of a later version, is dropped in silence."""
    found = properties_of("2022-02-14", surprise=1, optimize={"vmBoot": {"state": "Enabled"}})
    assert "surprise" not in found
    assert "optimize" not in found


@pytest.mark.parametrize(
    "sent",
    [
        {"surprise": 1},
        {"customize": [{**SHELL, "Inline": ["true"]}]},
        {"distribute": [{**TO_GALLERY, "replicationMode": "Full"}]},
    ],
)
def test_strict_versions_refuse_what_they_do_not_know(sent: dict[str, Any]) -> None:
    """From 2024-02-01 on an unknown member, a wrong case, and a member of a later version are refused."""
    with pytest.raises(RefusalError) as refused:
        properties_of("2024-02-01", **sent)
    assert refused.value.message.startswith("Unmarshalling entity encountered error")
    assert "unknown field" in refused.value.message


def test_a_stray_api_version_in_the_body_is_refused() -> None:
    """Documents written for deployments hold `apiVersion`, which is no member of the resource."""
    with pytest.raises(RefusalError, match="apiVersion"):
        read({**body(), "apiVersion": LATEST}, IMAGE_TEMPLATE, LATEST)


def test_a_wrong_type_shows_an_empty_value() -> None:
    """Recorded: `sharedImage` is refused with an empty value in the message."""
    with pytest.raises(RefusalError) as refused:
        properties_of("2022-07-01", distribute=[{**TO_GALLERY, "type": "sharedImage"}])
    assert "Field 'distribute[0].type' has a bad value: ''." in refused.value.message


@pytest.mark.parametrize("sent", [{"customize": {}}, {"customize": ["x"]}, {"source": "x"}, {"vmProfile": []}])
def test_the_wrong_kind_of_json_is_refused(sent: dict[str, Any]) -> None:
    """An object where a list belongs, or the other way round, is a bad value."""
    with pytest.raises(RefusalError, match="has a bad value"):
        properties_of(LATEST, **sent)


def test_null_is_as_good_as_absent() -> None:
    """A member that is null is left out, so that it gets the service's default."""
    found = properties_of(LATEST, vmProfile=None, customize=None, buildTimeoutInMinutes=None)
    assert list(found) == ["source", "distribute"]


def test_previews_call_scripts_otherwise() -> None:
    """Before 2019-05-01-preview a script's address was called script; it is kept under today's name."""
    step = {"type": "Shell", "name": "s", "script": "https://example.com/s.sh"}
    kept = properties_of("2019-02-01-preview", customize=[step])
    assert kept["customize"] == [{"name": "s", "scriptUri": "https://example.com/s.sh", "type": "Shell"}]
    assert shown(kept, PROPERTIES, "2019-02-01-preview")["customize"] == [step]


FIRST_KINDS = [
    ("customize", {"name": "s", "type": "Shell"}, "shell"),
    ("distribute", TO_MANAGED_IMAGE, "managedImage"),
    ("distribute", TO_GALLERY, "sharedImage"),
]


@pytest.mark.parametrize(("place", "sent", "name"), FIRST_KINDS)
def test_the_first_preview_calls_kinds_otherwise(place: str, sent: dict[str, Any], name: str) -> None:
    """They begin with a small letter there, and only there; they are kept under today's name."""
    others: dict[str, Any] = {"customize": [], "distribute": []}
    kept = properties_of("2018-02-01-preview", **{**others, place: [{**sent, "type": name}]})
    assert kept[place] == [sent]
    found = [shown(kept, PROPERTIES, version)[place][0]["type"] for version in ("2018-02-01-preview", LATEST)]
    assert found == [name, sent["type"]]
    for version, wrong in (("2018-02-01-preview", sent["type"]), ("2019-02-01-preview", name)):
        with pytest.raises(RefusalError, match="type' has a bad value: ''"):
            properties_of(version, **{**others, place: [{**sent, "type": wrong}]})


@pytest.mark.parametrize(("api_version", "is_kept"), [("2019-02-01-preview", False), ("2019-05-01-preview", True)])
def test_the_first_previews_have_no_identity(api_version: str, *, is_kept: bool) -> None:
    """It came with 2019-05-01-preview; before, it is dropped in silence, and not shown either."""
    assert ("identity" in read(body(), IMAGE_TEMPLATE, api_version)) == is_kept
    assert ("identity" in read({"identity": {}}, IMAGE_TEMPLATE_UPDATE, api_version)) == is_kept
    assert ("identity" in render(image_template(), api_version, None)) == is_kept


def test_a_patch_may_hold_four_things() -> None:
    """Tags, identity, distributors and VM profile; the strict versions refuse anything else, older ones drop it."""
    sent = {"tags": {}, "properties": {"customize": [SHELL], "distribute": [TO_GALLERY]}}
    with pytest.raises(RefusalError, match='unknown field "customize"'):
        read(sent, IMAGE_TEMPLATE_UPDATE, LATEST)
    assert list(read(sent, IMAGE_TEMPLATE_UPDATE, "2023-07-01")["properties"]) == ["distribute"]
