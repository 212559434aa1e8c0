"""Bring an image template about: create it, keep it when it is the same already, or replace it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_aib.exceptions import (
    ImageBuilderError,
    ImageTemplateCheckError,
    ImageTemplateError,
    ImageTemplateInUseError,
)
from airflow_aib.hooks.guards import staged_vhds
from airflow_aib.hooks.identities import require_identities
from airflow_aib.hooks.image_templates import provisioning_state
from airflow_aib.hooks.removal import FAILED_STATES, UNSETTLED_STATES, Removal
from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.fingerprint import differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_template.render import RenderedImageTemplate

SHOWN_DIFFERENCES = 20

_GONE = (
    "The image template that stood under this name has been deleted to be replaced, so nothing can be run there until "
    "this task succeeds: mend the cause and run it again, or run it with the former document to have the old one back."
)


def require_good(rendered: RenderedImageTemplate, log: TaskLog, disabled: Mapping[str, str] | None = None) -> None:
    """Log what is doubtful about a rendered image template; raise all that is wrong with it.

    :param disabled: rules that do not count, each with the reason
    """
    for change in rendered.changes:
        log.info("Brought to the current api-version: %s", change)
    examination = examine(rendered, disabled=disabled)
    errors = examination.errors
    for finding in examination.findings:
        if finding.severity != "error":
            log.warning("%s", finding.without_severity)
    for finding, reason in examination.switched_off:
        log.info("Switched off (%s): %s", reason, finding)
    if errors:
        raise ImageTemplateCheckError(
            f"{rendered.source} has {len(errors)} {'error' if len(errors) == 1 else 'errors'}:\n"
            + "\n".join(f"  {finding}" for finding in errors)
            + "\n",
            hint="Correct the document; nothing has been submitted.",
            findings=examination.findings,
        )


def refuse_vhds(rendered: RenderedImageTemplate, log: TaskLog, *, are_given_up: bool) -> None:
    """Raise where a build would leave VHDs in the staging resource group; or say that they are given up.

    :param are_given_up: whether the user does not need them
    """
    names = staged_vhds(rendered.body)
    if not names:
        return
    left = f"{rendered.source} makes VHDs that nobody copies out of the staging resource group: {', '.join(names)}"
    if not are_given_up:
        raise ImageTemplateError(
            left,
            hint="Give the task group a `vhd_destination`, account/container[/folder]; or, if you do not need them, "
            "discard_vhds=True in its `create_args`. Nothing has been submitted.",
            source=rendered.source,
        )
    log.warning("%s. They are given up, as discard_vhds=True says.", left)


@contextmanager
def telling_what_is_gone(*, has_replaced: bool) -> Iterator[None]:
    """Have an error say that the old image template is gone, where it is."""
    try:
        yield
    except ImageBuilderError as error:
        if has_replaced:
            error.hint = f"{error.hint} {_GONE}" if error.hint else _GONE
        raise


class Submitted(NamedTuple):
    """Hold what came of a submission.

    :param body: the image template as Azure shows it
    :param has_replaced: whether a sound one had to go for it
    """

    body: dict[str, Any]
    has_replaced: bool = False


@dataclass(frozen=True)
class Submission:
    """Submit a rendered image template under a name.

    :param removal: how to remove what stands under that name
    :param rendered: what to submit
    :param may_replace: whether an image template of other content may be replaced
    :param log: where to say what was done and why
    """

    removal: Removal
    rendered: RenderedImageTemplate
    may_replace: bool
    log: TaskLog

    async def submit(self) -> Submitted:
        """Have Azure hold the wanted image template, which may not be provisioned yet."""
        body = await self.removal.service.get_image_template(self.removal.image_template_id)
        if body is not None and provisioning_state(body) in UNSETTLED_STATES:
            if not differences(self.rendered.body, body):
                self.log.info("The same image template is being created already.")
                return Submitted(body)
            body = await self.removal.settled()
        if body is None:
            return Submitted(await self._create())
        if provisioning_state(body) != "Deleting" and self._is_wanted(body):
            return Submitted(body)
        return await self._replace(body)

    async def _replace(self, body: dict[str, Any]) -> Submitted:
        state = provisioning_state(body)
        is_sound = state not in FAILED_STATES | {"Deleting"}
        if is_sound:
            await require_identities(self.removal.service.clients, self.rendered.body)
        if state != "Deleting":
            await self.removal.delete()
        await self.removal.until_deleted()
        with telling_what_is_gone(has_replaced=is_sound):
            return Submitted(await self._create(), is_sound)

    def _is_wanted(self, body: dict[str, Any]) -> bool:
        state = provisioning_state(body)
        if state in FAILED_STATES:
            self.log.info("A %s image template stands under the name and is replaced.", state)
            return False
        changed = differences(self.rendered.body, body)
        if not changed:
            self.log.info("The image template exists with the same content and is used again.")
            return True
        shown = ", ".join(changed[:SHOWN_DIFFERENCES]) + (", ..." if len(changed) > SHOWN_DIFFERENCES else "")
        if not self.may_replace:
            raise ImageTemplateInUseError(
                f"Image template {self.removal.image_template_id} exists with other content: {shown}",
                hint="Allow replace=True, or choose another name.",
                image_template_id=self.removal.image_template_id,
            )
        self.log.info("The image template exists with other content and is replaced. It differs in: %s", shown)
        return False

    async def _create(self) -> dict[str, Any]:
        body = await self.removal.service.submit(self.removal.image_template_id, self.rendered.body)
        self.log.info("Submitted image template %s.", self.removal.image_template_id)
        return body
