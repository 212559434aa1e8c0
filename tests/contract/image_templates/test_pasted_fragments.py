"""Every fragment that people paste, completed: read, filled in, upgraded, checked, and taken by the service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_run.artifacts import read_artifacts
from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderContext, RenderedImageTemplate, render
from airflow_aib.image_template.text.source_text import parse_text
from tests.contract.image_builder.calls import Builder, as_json, document, to_gallery, to_managed_image
from tests.contract.image_templates.pasted_fragments import (
    PAGE,
    REPAIRS,
    Fragment,
    completed,
    fragments,
    is_answer,
    repaired,
)
from tests.contract.sdk_clients import GROUP, Cloud, done, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = list(fragments())
PARTS = [fragment for fragment in ALL if not is_answer(fragment)]
ISO = '"type": "ISO"'
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000002"
CHECKSUM = "0" * 64
VERSION = ("Canonical", "UbuntuServer", "18.04-LTS", "18.04.201903060")


def values() -> dict[str, object]:
    """Return a value for every placeholder."""
    numbers = {f"name {number}": f"step{number}" for number in (1, 2)}
    texts = ("address of the script", "address of the file", "address of the medium")
    return {
        **numbers,
        **dict.fromkeys(texts, "https://example.com/scripts/setup.sh"),
        "digest": CHECKSUM,
        "command": "echo hello",
        "yes or no": "true",
        "codes": "0, 3010",
        "path in the VM": "/tmp/setup.sh",
        "limit": 60,
        "gigabytes": 100,
        "size": "Standard_D1_v2",
        "network": "corp",
        "subnet": "builds",
        "network group": GROUP,
        "builder identity": next(iter(document(SUBSCRIPTION)["identity"]["userAssignedIdentities"])),
        "first": "one",
        "tag": "two",
        "text": "tag",
        "disk": "disk",
        "output": "base",
        "region of the gallery": "eastus",
        "where": "eastus",
        "definition": to_gallery(SUBSCRIPTION)["galleryImageId"],
        "image to make": to_managed_image(SUBSCRIPTION)["imageId"],
        "gallery group": GROUP,
        "imageGroup": GROUP,
        "image": "img1",
        "gallery": "corp",
        "imageDefinitionName": "linux-base",
        "number": "1.0.0",
    }


def rendered(fragment: Fragment) -> RenderedImageTemplate:
    """Complete a fragment, and fill in what it asks for."""
    read = read_document(completed(fragment, document(SUBSCRIPTION)))
    context = RenderContext(SUBSCRIPTION, GROUP, "eastus")
    wanted = {name: value for name, value in values().items() if re.search(rf"[<{{]{name}[>}}]", str(read.body))}
    return render(read, wanted, context)


def test_every_fragment_is_found() -> None:
    """Those in fences and those that are only indented; one of them is an answer."""
    assert len(ALL) == PAGE.read_text(encoding="utf-8").count("```json") + 3
    assert len(ALL) - len(PARTS) == 1


@pytest.mark.parametrize("reason", REPAIRS)
def test_every_repair_is_needed(reason: str) -> None:
    """Each row of the table repairs something: without it a fragment looks otherwise."""
    assert any(repaired(fragment.text) != repaired(fragment.text, without=reason) for fragment in ALL)


@pytest.mark.parametrize("fragment", PARTS, ids=str)
def test_every_fragment_passes_the_checks(fragment: Fragment) -> None:
    """A completed fragment has no error, nothing left to fill in, and no key twice; a retired source is named."""
    examination = examine(rendered(fragment))
    errors = [finding.rule for finding in examination.errors]
    assert errors == (["source-iso-retired"] if ISO in fragment.text else [])
    rules = {finding.rule for finding in examination.findings}
    assert rules.isdisjoint({"placeholder-left", "parameter-unused", "member-unknown", "key-twice"})


@pytest.mark.parametrize("fragment", ALL, ids=str)
def test_no_repaired_fragment_has_a_key_twice(fragment: Fragment) -> None:
    """Nothing in a fragment is lost to an equal key."""
    assert parse_text(repaired(fragment.text), "a.json")[1] == ()


@pytest.fixture
async def builder(cloud: Cloud) -> Builder:
    """Put into the emulator what they name: a marketplace version, a managed image, a gallery image version."""
    cloud.thread.control.set_scale(4000)
    cloud.thread.emulator.world.compute.publish_platform_version(*VERSION)
    compute, profile = cloud.compute(), {"osDisk": {"osType": "Linux", "osState": "Generalized"}}
    image = {"location": "eastus", "properties": {"storageProfile": profile}}
    made = await finished(compute.images.begin_create_or_update(GROUP, "img1", image))
    version: dict[str, Any] = {
        "location": "eastus",
        "properties": {
            "publishingProfile": {"targetRegions": [{"name": "eastus"}]},
            "storageProfile": {"source": {"id": made.id}},
        },
    }
    await finished(compute.gallery_image_versions.begin_create_or_update(GROUP, "corp", "linux-base", "1.0.0", version))
    return Builder(cloud)


def accepted() -> Iterator[Fragment]:
    """Give what the service takes today."""
    return (fragment for fragment in PARTS if ISO not in fragment.text)


@pytest.mark.parametrize("cloud", ["sync"], indirect=True)
async def test_every_fragment_is_accepted(builder: Builder) -> None:
    """Each completed fragment becomes an image template through the real SDK: its creation ends well."""
    assert builder.subscription_id == SUBSCRIPTION
    states: dict[str, str] = {}
    for fragment in accepted():
        name, body = str(fragment), rendered(fragment).body
        created = as_json(await finished(builder.image_templates.begin_create_or_update(GROUP, name, body)))
        states[name] = created["properties"]["provisioningState"]
        await finished(builder.image_templates.begin_delete(GROUP, name))
    assert states == dict.fromkeys(states, "Succeeded")
    assert len(states) == len(PARTS) - 1


@pytest.mark.parametrize("cloud", ["sync"], indirect=True)
@pytest.mark.parametrize("kind", ["managedImage", "sharedImage", "VHD"])
async def test_every_distributor_leaves_its_artifact(builder: Builder, kind: str) -> None:
    """A build with a distributor as it is pasted ends with an artifact of its kind."""
    fragment = next(one for one in reversed(PARTS) if re.search(rf'"type": ?"{kind}"', one.text))
    body = rendered(fragment).body
    await finished(builder.image_templates.begin_create_or_update(GROUP, "built", body))
    await builder.run("built")
    pages = await done(builder.image_templates.list_run_outputs(GROUP, "built"))
    (artifact,) = read_artifacts([as_json(output) for output in pages], body["properties"]["distribute"])
    assert artifact.kind.casefold() == kind.casefold()
    assert (artifact.artifact_uri is not None) == (kind == "VHD")


def test_the_answer_is_read() -> None:
    """What a command line shows of a run output gives the gallery image version."""
    (fragment,) = (one for one in ALL if is_answer(one))
    answer, _ = parse_text(fragment.text, "answer.json")
    distributor = {"type": "sharedImage", "runOutputName": answer["name"]}
    (artifact,) = read_artifacts([answer], [distributor])
    assert artifact.artifact_id == answer["properties"]["artifactId"]
