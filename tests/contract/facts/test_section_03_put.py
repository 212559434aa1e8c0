"""Putting and patching image templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.image_builder.calls import ONE, create, document

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

CODES = (
    "BadSourceType",
    "BadPIRSource",
    "BadManagedImageSource",
    "BadSharedImageVersionSource",
    "BadCustomizerType",
    "UnsupportedCustomizerType",
    "NoCustomizerScript",
    "BadValidatorType",
    "UnsupportedValidatorType",
    "NoValidatorScript",
    "BadDistributeType",
    "BadSharedImageDistribute",
    "BadStagingResourceGroup",
    "ServerError",
    "Other",
)


def test_reading_while_it_is_created(raw: RawArm) -> None:
    """Until the creation ends, a read shows what the PUT has answered."""
    put = raw.send("PUT", ONE, document(raw.settings.subscription_id)).json()
    raw.thread.control.advance(5)
    assert raw.send("GET", ONE).json() == put


def test_defaults_over_the_wire(raw: RawArm) -> None:
    """Empty checksums go; tags, timeout, staging group and a VM profile without content get their defaults."""
    step = {"type": "Shell", "name": "s", "inline": ["true"], "sha256Checksum": ""}
    answer = raw.send("PUT", ONE, document(raw.settings.subscription_id, customize=[step], vmProfile={})).json()
    properties = answer["properties"]
    assert "sha256Checksum" not in properties["customize"][0]
    assert (answer["tags"], properties["buildTimeoutInMinutes"], properties["stagingResourceGroup"]) == ({}, 0, "")
    assert properties["vmProfile"] == {"vmSize": "", "osDiskSizeGB": 0}
    distributor = properties["distribute"][0]
    assert (distributor["artifactTags"], distributor["excludeFromLatest"], distributor["versioning"]) == (
        {},
        False,
        None,
    )


def test_what_is_not_sent_is_absent(raw: RawArm) -> None:
    """Optional members are absent unless they were sent, lastRunStatus until a run, an error until there is one."""
    create(raw)
    absent = {"optimize", "validate", "errorHandling", "vmProfile", "lastRunStatus", "provisioningError"}
    assert absent & set(raw.send("GET", ONE).json()["properties"]) == set()
    sent = {"errorHandling": {"onCustomizerError": "abort"}, "optimize": {"vmBoot": {"state": "Enabled"}}}
    answer = raw.send("PUT", f"{ONE}2", document(raw.settings.subscription_id, **sent)).json()
    assert {name: answer["properties"][name] for name in sent} == sent


def test_states_in_public_words(raw: RawArm) -> None:
    """Creating, Succeeded, Deleting; Failed when the creation failed."""
    seen = [raw.send("PUT", ONE, document(raw.settings.subscription_id)).json()["properties"]["provisioningState"]]
    raw.thread.control.advance(60)
    seen.append(raw.send("GET", ONE).json()["properties"]["provisioningState"])
    raw.send("DELETE", ONE)
    seen.append(raw.send("GET", ONE).json()["properties"]["provisioningState"])
    assert seen == ["Creating", "Succeeded", "Deleting"]


@pytest.mark.parametrize("code", CODES)
def test_every_documented_code_can_be_planned(raw: RawArm, code: str) -> None:
    """The image template stays as Failed, with code and message in it."""
    raw.thread.control.plan_failure(kind="creation", code=code, message="because")
    raw.send("PUT", ONE, document(raw.settings.subscription_id))
    raw.thread.control.advance(60)
    properties = raw.send("GET", ONE).json()["properties"]
    assert properties["provisioningState"] == "Failed"
    assert properties["provisioningError"] == {"message": "because", "provisioningErrorCode": code}


def test_a_failed_one_is_in_the_way_until_it_is_deleted(raw: RawArm) -> None:
    """A PUT over what a failed creation left is a conflict; it may be deleted, and then made anew."""
    raw.thread.control.plan_failure(kind="creation")
    body = document(raw.settings.subscription_id)
    raw.send("PUT", ONE, body)
    raw.thread.control.advance(60)
    assert raw.send("PUT", ONE, body).json()["error"]["code"] == "Conflict"
    assert raw.send("DELETE", ONE).status_code == 202
    raw.thread.control.advance(100)
    assert raw.send("PUT", ONE, body).status_code == 201
