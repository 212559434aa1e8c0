"""Where the copy of a VHD lies below its destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.hooks.many_pieces import patiently
from airflow_aib.hooks.resource_id import parse_image_template_id
from airflow_aib.hooks.vhd_marks import is_copy_from

if TYPE_CHECKING:
    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.page_blob import PageBlob


def copy_names(image_template_id: str, file_name: str) -> tuple[str, ...]:
    """Give the names that a copy may have below its destination, in the order in which they are preferred.

    The first one has a folder for the image template, since VHDs of several may have the same file name: the service
    makes it of run output and second. The other one is that of copies made by releases that had no such folder. What is
    of no image template has its file name only.
    """
    if not image_template_id:
        return (file_name,)
    return f"{parse_image_template_id(image_template_id).name}/{file_name}", file_name


async def holds_copy_of(blob: PageBlob, image_template_id: str, source_url: str, clock: Clock) -> bool:
    """Whether a blob says that it is a copy of this VHD of this image template, finished or not."""
    present = await patiently(blob.look, clock)
    return present is not None and is_copy_from(image_template_id, source_url, present)
