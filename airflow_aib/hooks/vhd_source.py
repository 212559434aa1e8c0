"""One version of a VHD, pinned by its etag: what of it is allocated, and that it is a disk that Azure can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_aib.exceptions import VhdCopyError
from airflow_aib.hooks.blob_facts import PAGE_BLOB, BlobFacts
from airflow_aib.hooks.many_pieces import patiently
from airflow_aib.vhd.footer import FOOTER_SIZE, check_footer
from airflow_aib.vhd.page_ranges import PageRange, total

if TYPE_CHECKING:
    from airflow_aib.hooks.clock import Clock
    from airflow_aib.hooks.page_blob import PageBlob


@dataclass(frozen=True)
class PinnedVhd:
    """Hold one version of a VHD.

    :param facts: of the blob
    :param ranges: what of it is allocated
    """

    facts: BlobFacts
    ranges: tuple[PageRange, ...]

    @property
    def allocated_bytes(self) -> int:
        """Bytes in allocated pages."""
        return total(self.ranges)


async def pin_vhd(blob: PageBlob, clock: Clock) -> PinnedVhd:
    """Look at a VHD: it must be there, a page blob, and end with the footer of a disk that Azure can use."""
    facts = await patiently(blob.look, clock)
    if facts is None:
        raise VhdCopyError(
            "there is no such VHD", hint="It lies in the staging resource group, and goes with the image template."
        )
    if facts.kind != PAGE_BLOB:
        raise VhdCopyError(
            f"the source is a {facts.kind}, and a VHD is a page blob", hint="Look what has been put in its place."
        )
    await _check_footer(blob, facts, clock)
    return PinnedVhd(facts, await patiently(lambda: blob.page_ranges(etag=facts.etag), clock))


async def _check_footer(blob: PageBlob, facts: BlobFacts, clock: Clock) -> None:
    at = max(facts.size - FOOTER_SIZE, 0)
    footer = await patiently(lambda: blob.read(at, FOOTER_SIZE, etag=facts.etag), clock)
    try:
        check_footer(footer, facts.size)
    except ValueError as error:
        raise VhdCopyError(
            f"the source is no VHD that Azure can use: {error}",
            hint="A run that was broken off may have left it half done: run the image template again.",
        ) from error
