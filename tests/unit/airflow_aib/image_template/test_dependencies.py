from __future__ import annotations

import pytest

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.dependencies import resolve_dependency
from airflow_aib.image_template.document import SiblingResource
from tests.unit.airflow_aib.image_template.sample_documents import GROUP

SIBLINGS = [
    SiblingResource("gallery", "Microsoft.Compute/galleries", "[name]"),
    SiblingResource(None, "Microsoft.Compute/galleries/images", "corp/linux"),
    SiblingResource(None, "Microsoft.Storage/storageAccounts", "twin"),
    SiblingResource(None, "Microsoft.Compute/disks", "twin"),
]
GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/corp"


def fill_in(name: str) -> str:
    """Fill in the one expression that there is."""
    return name.replace("[name]", "corp")


def resolved(text: str) -> str:
    """Resolve a dependency."""
    return resolve_dependency(text, SIBLINGS, fill_in, GROUP, "a.json")


@pytest.mark.parametrize(
    ("text", "resource_id"),
    [
        (GALLERY, GALLERY),
        (GALLERY.upper(), GALLERY.upper()),
        ("gallery", GALLERY),
        ("GALLERY", GALLERY),
        ("corp", GALLERY),
        ("corp/linux", f"{GALLERY}/images/linux"),
        ("Microsoft.Compute/galleries/corp", GALLERY),
        ("Microsoft.Compute/galleries/images/corp/linux", f"{GALLERY}/images/linux"),
    ],
)
def test_all_forms(text: str, resource_id: str) -> None:
    """Resource ids stay; symbolic names, names and `type/name` become resource ids."""
    assert resolved(text) == resource_id


@pytest.mark.parametrize(("text", "words"), [("nobody", "is no resource"), ("twin", "is more than one resource")])
def test_what_cannot_be_resolved(text: str, words: str) -> None:
    """A name that means nothing, or two things, is an error that lists what there is."""
    with pytest.raises(ImageTemplateRenderError, match=rf"a\.json: dependsOn names '{text}', which {words}.*'gallery'"):
        resolved(text)


def test_nothing_to_depend_on() -> None:
    """In a bare resource only resource ids can be meant."""
    with pytest.raises(ImageTemplateRenderError, match="there: none"):
        resolve_dependency("gallery", [], fill_in, GROUP, "a.json")
