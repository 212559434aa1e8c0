"""Every fragment of the reference pages, completed: read, filled in, upgraded, checked, and taken by the service."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_run.artifacts import read_artifacts
from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderContext, RenderedImageTemplate, render
from airflow_aib.image_template.text.source_text import parse_text
from tests.contract.image_builder.calls import Builder, as_json, document, to_gallery, to_managed_image
from tests.contract.image_templates.seed_fragments import (
    PAGES,
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

pytestmark = pytest.mark.skipif(
    not PAGES.exists(), reason="the reference pages stand beside the repository, and are not there"
)

ALL = list(fragments()) if PAGES.exists() else []
PARTS = [fragment for fragment in ALL if not is_answer(fragment)]
ISO = '"type": "ISO"'
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000002"
CHECKSUM = "0" * 64
VERSION = ("Canonical", "UbuntuServer", "18.04-LTS", "18.04.201903060")


def values(fragment: Fragment) -> dict[str, object]:
    """Return a value for every placeholder; the pages give one name to several things, as people do."""
    image_id, definition_id = (
        to_managed_image(SUBSCRIPTION)["imageId"],
        to_gallery(SUBSCRIPTION)["galleryImageId"],
    )
    numbers = {f"name {number}": f"step{number}" for number in (1, 2)}
    texts = ("path to script", "link to script", "source location", "sourceURI from the download center")
    return {
        **numbers,
        **dict.fromkeys(texts, "https://example.com/scripts/setup.sh"),
        **dict.fromkeys(("sha256 checksum", "checksum associated with ISO"), CHECKSUM),
        **dict.fromkeys(("command to run inline", "commands to run", "PowerShell syntax to run"), "echo hello"),
        **dict.fromkeys(("true false", "true or false"), "true"),
        "exit code": "0, 3010",
        "destination": "/tmp/setup.sh",  # noqa: S108 - in the build VM
        "minutes": 60,
        "sizeInGB": 100,
        "vmSize": "Standard_D1_v2",
        "vnetName": "corp",
        "subnetName": "builds",
        "vnetRgName": GROUP,
        "imgBuilderId": next(iter(document(SUBSCRIPTION)["identity"]["userAssignedIdentities"])),
        "first": "one",
        "name": "two",
        "value": "tag",
        "VHD name": "disk",
        "region where the gallery is deployed": "eastus",
        "resource ID": definition_id if "galleryImageId" in fragment.text else image_id,
        "resourceGroup": GROUP,
        "destinationResourceGroupName": GROUP,
        "imageName": "img1",
        "sharedImageGalleryName": "corp",
        "imageDefinitionName": "linux-base",
        "imageVersion": "1.0.0",
    }


def rendered(fragment: Fragment) -> RenderedImageTemplate:
    """Complete a fragment, and fill in what it asks for."""
    read = read_document(completed(fragment, document(SUBSCRIPTION)))
    context = RenderContext(SUBSCRIPTION, GROUP, "eastus")
    wanted = {
        name: value for name, value in values(fragment).items() if re.search(rf"[<{{]{name}[>}}]", str(read.body))
    }
    if '"runOutputName": "<name>"' in fragment.text:
        wanted["name"] = "two"
    return render(read, wanted, context)


def test_every_fragment_is_found() -> None:
    """The page of 2020 has 21 fragments and that of 2019 has 17; one of them is an answer."""
    assert Counter(fragment.year for fragment in ALL) == {"2020": 21, "2019": 17}
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
    """Put into the emulator what the pages name: a marketplace version, a managed image, a gallery image version."""
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
        name, body = f"seed-{fragment}", rendered(fragment).body
        created = as_json(await finished(builder.image_templates.begin_create_or_update(GROUP, name, body)))
        states[name] = created["properties"]["provisioningState"]
        await finished(builder.image_templates.begin_delete(GROUP, name))
    assert states == dict.fromkeys(states, "Succeeded")
    assert len(states) == len(PARTS) - 1


@pytest.mark.parametrize("cloud", ["sync"], indirect=True)
@pytest.mark.parametrize("kind", ["managedImage", "sharedImage", "VHD"])
async def test_every_distributor_of_the_pages_leaves_its_artifact(builder: Builder, kind: str) -> None:
    """A build with a distributor as the pages write it ends with an artifact of its kind."""
    fragment = next(one for one in reversed(PARTS) if re.search(rf'"type": ?"{kind}"', one.text))
    body = rendered(fragment).body
    await finished(builder.image_templates.begin_create_or_update(GROUP, "built", body))
    await builder.run("built")
    pages = await done(builder.image_templates.list_run_outputs(GROUP, "built"))
    (artifact,) = read_artifacts([as_json(output) for output in pages], body["properties"]["distribute"])
    assert artifact.kind.casefold() == kind.casefold()
    assert (artifact.artifact_uri is not None) == (kind == "VHD")


def test_the_answer_is_read() -> None:
    """The answer that the page of 2020 shows for a run output gives the gallery image version."""
    (fragment,) = (one for one in ALL if is_answer(one))
    answer, _ = parse_text(fragment.text, "answer.json")
    distributor = {"type": "sharedImage", "runOutputName": answer["name"]}
    (artifact,) = read_artifacts([answer], [distributor])
    assert artifact.artifact_id == answer["properties"]["artifactId"]
