from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_template.outline import Outline
from airflow_aib.image_template.outlining import outlines

if TYPE_CHECKING:
    from pathlib import Path

GALLERY_ID = "[resourceId('Microsoft.Compute/galleries/images', parameters('gallery'), 'linux')]"
IMAGE = {"type": "SharedImage", "galleryImageId": GALLERY_ID, "runOutputName": "image"}
VHD = {"type": "VHD", "runOutputName": "vhd"}


def resource(*distribute: dict[str, Any], name: str = "base") -> dict[str, Any]:
    """Return an image template as it stands in a deployment file."""
    return {
        "type": "Microsoft.VirtualMachineImages/imageTemplates",
        "apiVersion": "2024-02-01",
        "name": name,
        "location": "eastus",
        "properties": {"distribute": list(distribute)},
    }


def outlined(folder: Path, *resources: dict[str, Any], **parameters: str) -> list[Outline]:
    """Outline a deployment file that holds these resources."""
    document = folder / "images.json"
    document.write_text(json.dumps({"parameters": {"gallery": {"type": "string"}}, "resources": list(resources)}))
    return outlines(document, parameters, "images")


def test_the_image_is_known_by_gallery_and_definition(tmp_path: Path) -> None:
    """Expressions are evaluated with what is known of the parameters."""
    (found,) = outlined(tmp_path, resource(IMAGE), gallery="corp")

    assert found == Outline(name="base", gallery="corp", image_definition="linux")


def test_what_only_a_run_knows_stays_unknown(tmp_path: Path) -> None:
    """Without the value the image is not guessed, and it is no trouble."""
    (found,) = outlined(tmp_path, resource(IMAGE))

    assert found == Outline(name="base")


@pytest.mark.parametrize(
    ("vhd", "leaves_vhd"), [(VHD, True), (VHD | {"uri": "https://a.blob.core.windows.net/vhds/x.vhd"}, False)]
)
def test_a_vhd_of_ones_own_place_need_not_be_copied(tmp_path: Path, vhd: dict[str, Any], *, leaves_vhd: bool) -> None:
    """Only a VHD in the staging resource group is left behind."""
    (found,) = outlined(tmp_path, resource(IMAGE, vhd), gallery="corp")

    assert found.leaves_vhd is leaves_vhd


def test_every_image_template_of_a_file_is_outlined(tmp_path: Path) -> None:
    """A deployment file may hold several."""
    found = outlined(tmp_path, resource(VHD, name="a"), resource(IMAGE, name="b"), gallery="corp")

    assert [(outline.name, outline.leaves_vhd) for outline in found] == [("a", True), ("b", False)]


def test_trouble_is_told_and_not_raised(tmp_path: Path) -> None:
    """What cannot be read or filled in is an outline too: one bad document must not hide the others."""
    broken = tmp_path / "broken.json"
    broken.write_text('{"type": ')
    (unreadable,) = outlines(broken, {}, "images")
    (unfilled,) = outlined(tmp_path, resource(IMAGE | {"galleryImageId": "[concat(]"}))

    assert "broken.json" in unreadable.trouble
    assert "concat" in unfilled.trouble


def test_a_parameters_file_is_read(tmp_path: Path) -> None:
    """Values may come from a file, and its errors are trouble of the document."""
    document, values = tmp_path / "images.json", tmp_path / "images.parameters.json"
    document.write_text(json.dumps({"parameters": {"gallery": {"type": "string"}}, "resources": [resource(IMAGE)]}))
    values.write_text('{"gallery": "lab"}')
    (found,) = outlines(document, values, "images")
    values.write_text("{")
    (wrong,) = outlines(document, values, "images")

    assert found.gallery == "lab"
    assert "images.parameters.json" in wrong.trouble


def test_an_outline_goes_through_json() -> None:
    """What is remembered comes back; what a later version adds is ignored."""
    known = Outline("a", True, "corp", "linux", "x")  # noqa: FBT003 - each field once

    assert Outline.from_json(known.to_json() | {"later": 1}) == known
