from __future__ import annotations

import pytest
from airflow.sdk import Asset

from airflow_aib.assets.image import image_asset


def test_address_names_gallery_and_definition() -> None:
    """An image's asset is addressed by gallery and image definition."""
    assert image_asset("corp", "linux-base").uri == "azure-vm-image://corp/linux-base"


def test_letter_case_makes_no_second_asset() -> None:
    """Azure ignores letter case in names, so two spellings are one asset."""
    assert image_asset("Corp", "Linux-Base").uri == image_asset("corp", "linux-base").uri


def test_trailing_slash_makes_no_second_asset() -> None:
    """A trailing slash does not make another address."""
    assert Asset(uri="azure-vm-image://corp/linux-base/").uri == "azure-vm-image://corp/linux-base"


@pytest.mark.parametrize(
    "uri",
    ["azure-vm-image://corp", "azure-vm-image:///linux-base", "azure-vm-image://corp/a/b", "azure-vm-image://c/d?x=1"],
)
def test_other_forms_are_refused(uri: str) -> None:
    """An address that does not name exactly one gallery and one definition is refused when the DAG is parsed."""
    with pytest.raises(ValueError, match="is no image's address"):
        Asset(uri=uri)
