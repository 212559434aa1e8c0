"""Verify a VHD where it lies: that it is a disk that Azure can use, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError, VhdCopyError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.many_pieces import Lanes
from airflow_aib.hooks.vhd_copy import page_blob
from airflow_aib.hooks.vhd_marks import DIGEST_KEY, plain_etag
from airflow_aib.hooks.vhd_pieces import digest_pieces
from airflow_aib.hooks.vhd_source import pin_vhd
from airflow_aib.vhd.content_digest import content_digest
from airflow_aib.vhd.copy_plan import VhdCopyResult, plan_copy
from airflow_aib.vhd.pace import MOST_LANES

if TYPE_CHECKING:
    from airflow_aib.hooks.clients import AzureClients


async def verify_vhd(
    clients: AzureClients,
    uri: str,
    *,
    run_output_name: str = "",
    concurrency: int = MOST_LANES,
    clock: Clock = SYSTEM_CLOCK,
) -> VhdCopyResult:
    """Read a VHD once, and give its digest: its length and footer must be those of a disk that Azure can use.

    A digest in its metadata, as copies of ours have it, must be the same.

    :param clients: how Azure is reached
    :param uri: address of the VHD
    :param run_output_name: of the distributor that left it there
    :param concurrency: the most pieces read at once
    :param clock: tells the time and waits
    """
    blob = page_blob(clients, clients.settings.cloud.blob_address(uri), None, clock)
    url = blob.address.url
    try:
        vhd = await pin_vhd(blob, clock)
        plan = plan_copy(vhd.ranges, vhd.facts.size)
        digest = content_digest(await digest_pieces(blob, plan.pieces, vhd.facts.etag, Lanes(concurrency, clock)))
    except (ArmRequestError, VhdCopyError) as error:
        raise VhdCopyError(
            f"VHD {url} cannot be verified: {error.message}",
            hint=error.hint,
            diagnosis=error.diagnosis,
            source=url,
            destination=url,
        ) from error
    written = vhd.facts.metadata.get(DIGEST_KEY, digest)
    if written != digest:
        raise VhdCopyError(
            f"VHD {url} has digest {digest}, and its metadata says {written}",
            hint="It was changed after it was verified: build it again, or look who writes there.",
            source=url,
            destination=url,
        )
    return VhdCopyResult(
        source=url,
        destination=url,
        run_output_name=run_output_name,
        length=vhd.facts.size,
        allocated_bytes=vhd.allocated_bytes,
        copied_bytes=0,
        sha256=digest,
        source_etag=plain_etag(vhd.facts.etag),
        method="none",
    )
