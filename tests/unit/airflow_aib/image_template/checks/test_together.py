from __future__ import annotations

from typing import Any

from airflow_aib.image_template.checks import check_together
from airflow_aib.image_template.checks.table import examine
from airflow_aib.image_template.document import documents_of, read_document
from airflow_aib.image_template.render import RenderedImageTemplate, render
from airflow_aib.image_template.text.source_text import SourceText
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP, IDENTITY, body

STAGING = f"{GROUP}-staging"
VERSION = f"{GROUP}/providers/Microsoft.Compute/galleries/corp/images/linux/versions/1.0.0"
YAML = f"""\
name: {{name}}
location: eastus
identity: {{{{type: UserAssigned, userAssignedIdentities: {{{{"{IDENTITY}": {{{{}}}}}}}}}}}}
properties:
  source: {{{{type: PlatformImage, publisher: Canonical, offer: o, sku: s, version: latest}}}}
  stagingResourceGroup: {{group}}
  distribute: [{{{{type: VHD, runOutputName: vhd}}}}]
"""


def named(name: str, **properties: Any) -> RenderedImageTemplate:
    """Render a good image template with a name and some properties."""
    return render(read_document(body(**properties) | {"name": name}), {}, CONTEXT)


def in_file(source: str, name: str, group: str = STAGING) -> RenderedImageTemplate:
    """Render an image template of a file, with a staging group."""
    (document,) = documents_of(SourceText(YAML.format(name=name, group=group), source))
    return render(document, {}, CONTEXT)


def gallery_image(image_id: str) -> dict[str, Any]:
    """Build a distributor to a gallery."""
    return {"type": "SharedImage", "runOutputName": "g", "galleryImageId": image_id}


def test_nothing_shared() -> None:
    """Image templates that share nothing are good, and so is a single one, or none."""
    assert check_together([named("a", stagingResourceGroup=STAGING), named("b")]) == []
    assert check_together([named("a")]) == check_together([]) == []


def test_a_shared_staging_group() -> None:
    """The later one is pointed at, in its file, with the name of the other."""
    (finding,) = check_together([in_file("a.yaml", "a"), in_file("b.yaml", "b", STAGING.upper())])

    assert (finding.rule, finding.severity, finding.file, finding.line) == ("staging-shared", "warning", "b.yaml", 6)
    assert "'a' in a.yaml" in finding.message


def test_a_shared_name() -> None:
    """A name is repeated within one file; another file may hold the same image template for another place."""
    assert [one.rule for one in check_together([named("a"), named("A")])] == ["name-repeated"]
    assert check_together([in_file("a.yaml", "a", f"{STAGING}-1"), in_file("b.yaml", "a", f"{STAGING}-2")]) == []


def test_shared_images() -> None:
    """The same version, or the same managed image, is made by one image template only."""
    image = {"type": "ManagedImage", "imageId": f"{GROUP}/providers/Microsoft.Compute/images/i", "location": "eastus"}
    twice = [named(name, distribute=[gallery_image(VERSION), image | {"runOutputName": "m"}]) for name in ("a", "b")]
    unpinned = [named(name, distribute=[gallery_image(VERSION.rpartition("/versions/")[0])]) for name in ("a", "b")]

    assert [one.rule for one in check_together(twice)] == ["version-shared", "managed-image-shared"]
    assert check_together(unpinned) == []


def test_values_that_are_not_known() -> None:
    """Two values that nobody knows yet are not the same."""
    unknown = "/subscriptions/x/resourceGroups/\ue000group\ue001"

    assert check_together([named("a", stagingResourceGroup=unknown), named("b", stagingResourceGroup=unknown)]) == []


def test_switched_off() -> None:
    """A file can switch such a rule off, and is not told that it has nothing to say by itself."""
    text = YAML.format(name="b", group=f"{STAGING} # airflow-aib: disable=staging-shared -- never at the same time")
    (document,) = documents_of(SourceText(text, "b.yaml"))
    other = render(document, {}, CONTEXT)

    assert check_together([in_file("a.yaml", "a"), other]) == []
    assert examine(other).findings == ()
