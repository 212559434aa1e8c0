"""States in which Azure is known to stay for hours or days, and what helps then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.exceptions import ArmRequestError, ImageRunStuckError, ImageRunTimeoutError, ImageTemplateStuckError
from airflow_aib.image_run.run_status import RunState

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow_aib.image_run.run_status import LastRunStatus

_SUPPORT = "If it stays so for hours, give Azure's support its resource id."

# By provisioning state. Until it is left, Azure refuses to run, change or delete the image template.
IMAGE_TEMPLATE_ADVICE = {
    "Creating": "The known cause is a stagingResourceGroup that existed before: it must be empty, in the image "
    "template's region, and no other's; or leave it out. Azure deletes nothing that is being created: use another name "
    f"meanwhile. {_SUPPORT}",
    "Updating": f"Azure refuses everything until then: use another name meanwhile. {_SUPPORT}",
    "Deleting": "Something keeps its staging resource group: look there for a lock, and for a private endpoint. Delete "
    "the endpoint connection, then link service, network card and load balancer, then the group, then the image "
    "template again; put an identity back that was deleted before it. The name is taken until then: use another one "
    f"meanwhile. {_SUPPORT}",
}
RUN_ADVICE = (
    "Azure takes no other cancel, no run and no deletion of this image template meanwhile, for days as was reported: "
    "create it under another name and run that. Look into its staging resource group for a build VM that goes on "
    "costing, and give Azure's support the resource id and the run's start time."
)


def overdue_image_template(
    image_template_id: str, what: str, within: timedelta, provisioning_state: str | None
) -> ArmRequestError:
    """Make the error for a change of an image template that did not happen in time.

    :param what: as "was not deleted"
    :param provisioning_state: the one seen last
    """
    advice = IMAGE_TEMPLATE_ADVICE.get(provisioning_state or "")
    kind = ImageTemplateStuckError if advice else ArmRequestError
    return kind(
        f"Image template {image_template_id} {what} within {within}; its provisioning state is {provisioning_state}",
        hint=advice or f"Azure may still do it: look at it in the portal. {_SUPPORT}",
        code="Overdue",
        target=image_template_id,
        provisioning_state=provisioning_state,
    )


def overdue_run(image_template_id: str, within: timedelta, status: LastRunStatus | None) -> ImageRunTimeoutError:
    """Make the error for a run that was not over in time.

    :param status: the one seen last
    """
    is_stuck = is_canceling(status)
    kind = ImageRunStuckError if is_stuck else ImageRunTimeoutError
    phase = f"{status.phase} since {status.start_time}" if status else "unknown"
    return kind(
        f"The run of image template {image_template_id} was not over within {within}; it is {phase}",
        hint=RUN_ADVICE if is_stuck else "Allow more time, or cancel it.",
        image_template_id=image_template_id,
        last_run_status=status,
    )


def is_canceling(status: LastRunStatus | None) -> bool:
    """Whether the run was cancelled and has not ended."""
    return status is not None and status.run_state == RunState.CANCELING
