"""Delete an image template without losing what its last run left; settle what is still being created."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.hooks.guards import refuse_losses
from airflow_aib.hooks.image_templates import provisioning_state
from airflow_aib.hooks.leftovers import staged_losses
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.image_run.run_status import FINAL_RUN_STATES, RunState, read_last_run_status

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow_aib.hooks.accepted_losses import AcceptedLosses
    from airflow_aib.hooks.image_builder import ImageTemplateService

UNSETTLED_STATES = frozenset({"Creating", "Updating"})
FAILED_STATES = frozenset({"Failed", "Canceled"})
# Ends of a run that leave nothing for which the guard would have to look again.
EMPTY_ENDS = FINAL_RUN_STATES - {RunState.SUCCEEDED, RunState.PARTIALLY_SUCCEEDED}


@dataclass(frozen=True)
class Removal:
    """Remove one image template.

    :param service: talks to Azure
    :param image_template_id: resource id
    :param accepted: what may be lost
    :param poll_interval: seconds between two looks
    :param provision_timeout: how long creating or deleting an image template may take
    :param cancel_allowance: how long a cancelled run may take to end
    """

    service: ImageTemplateService
    image_template_id: str
    accepted: AcceptedLosses
    poll_interval: float
    provision_timeout: timedelta
    cancel_allowance: timedelta

    async def delete(self) -> bool:
        """Ask Azure to delete it, unless something would be lost; False when there is none."""
        body = await self.settled()
        if body is None:
            return False
        if provisioning_state(body) == "Deleting":
            return True
        await self._refuse_losses(body)
        status = read_last_run_status(body)
        if status is not None and not status.is_over:
            await self._cancel_run()
        return await self.service.delete(self.image_template_id)

    async def settled(self) -> dict[str, Any] | None:
        """Give the body once it is neither being created nor updated; Azure refuses everything until then."""
        body = await self.service.get_image_template(self.image_template_id)
        if body is None or provisioning_state(body) not in UNSETTLED_STATES:
            return body
        try:
            return await self.service.wait_until_provisioned(
                self.image_template_id,
                poll_interval=self.poll_interval,
                within=self.provision_timeout,
            )
        except ImageBuilderError:
            body = await self.service.get_image_template(self.image_template_id)
            if body is None or provisioning_state(body) in FAILED_STATES:
                return body
            raise

    async def until_deleted(self) -> None:
        """Wait until it is gone."""
        await self.service.wait_until_deleted(
            self.image_template_id,
            poll_interval=self.poll_interval,
            within=self.provision_timeout,
        )

    async def _cancel_run(self) -> None:
        await self.service.cancel_run(self.image_template_id)
        status = await self.service.wait_until_over(
            self.image_template_id,
            poll_interval=self.poll_interval,
            within=self.cancel_allowance,
        )
        if status is not None and status.run_state not in EMPTY_ENDS:
            # It was quicker than the cancel, and has left an image.
            await self._refuse_losses(await self.service.require_image_template(self.image_template_id))

    async def _refuse_losses(self, body: dict[str, Any]) -> None:
        accepted = asdict(self.accepted)
        # By what the image template says of its last run first, since that takes no further call.
        refuse_losses(self.image_template_id, body, **accepted)
        if not (self.accepted.discard_vhds and self.accepted.discard_logs):
            staged = await staged_losses(StagingArea(self.service.clients), body)
            refuse_losses(self.image_template_id, body, staged=staged, **accepted)
