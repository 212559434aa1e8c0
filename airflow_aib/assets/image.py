"""The asset address of an image: `azure-vm-image://<gallery>/<image definition>`.

Airflow imports this module when it first meets such an address in a DAG file, so it stays small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

if TYPE_CHECKING:
    from urllib.parse import SplitResult

__all__ = ["image_asset"]

SCHEME = "azure-vm-image"


def image_asset(gallery_name: str, image_definition_name: str, **kwargs: Any) -> Asset:
    """Make the asset of a gallery's image.

    :param gallery_name: name of the Azure compute gallery
    :param image_definition_name: name of the image definition in it
    :param kwargs: whatever else `airflow.sdk.Asset` takes, as `name` or `group`
    """
    return Asset(uri=f"{SCHEME}://{gallery_name}/{image_definition_name}", **kwargs)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Bring an image's address into its one form: Azure ignores letter case in both names."""
    definition = uri.path.strip("/")
    if not uri.netloc or not definition or "/" in definition or uri.query:
        raise ValueError(
            f"{uri.geturl()!r} is no image's address. Write '{SCHEME}://<gallery>/<image definition>', "
            "or use airflow_aib.assets.image.image_asset."
        )
    return uri._replace(netloc=uri.netloc.lower(), path=f"/{definition.lower()}")
