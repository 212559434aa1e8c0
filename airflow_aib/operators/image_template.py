"""Operators that create and delete image templates."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import literal
from airflow.sdk.log import mask_secret

from airflow_aib.arguments import require_document, require_reasons
from airflow_aib.exceptions import ArmRequestError, ImageTemplateError, ImageTemplateReadError, ImageTemplateRenderError
from airflow_aib.hooks.accepted_losses import AcceptedLosses
from airflow_aib.operators.base import LAST_LOOKS, WaitingOperator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import jinja2
    from airflow.sdk import Context, XComArg

    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.hooks.submission import Submitted
    from airflow_aib.image_template.render import RenderedImageTemplate

# Seconds that a deferrable task looks itself before it defers, unless a deferral may be shorter still.
FIRST_LOOKS = 10.0


class AzureImageTemplateCreateOperator(WaitingOperator):
    """Create an image template from a document, and wait until Azure has taken it in.

    The same content again is a no-op: the image template that is there is used again. Other content replaces it, unless
    that would lose something, or the new one names an identity that does not exist. Azure cannot change an image
    template, so what is replaced is deleted first: where the new one is refused then, the error says so, and that the
    former document brings the old one back. Returns the image template's resource id. XCom `diagnosis` says why a
    creation has failed.

    Errors: `ImageTemplateReadError`, `ImageTemplateRenderError` and `ImageTemplateCheckError` about the document and
    its parameters, before Azure is asked; `SourceImageError` for a source that is not to be had;
    `ImageTemplateInUseError` when replacing would lose something or is not allowed; `ImageTemplateStuckError` when it
    is not over within option `provision_timeout`; `ArmRequestError` for whatever else Azure refuses.

    Also with `deferrable`, what must come first is awaited on the worker: the resources that the document depends on, a
    run that is being cancelled, and the deletion of what is replaced. After each of them comes another request, and
    only workers send those; none of them is usually long enough to be worth a deferral. All in all they may take
    the options `provision_timeout` and `cancel_allowance` together.

    Jinja fills in the fields listed as `template_fields`; `document_name`, `replace`, `cancel_running`,
    `discard_vhds`, `discard_logs` and `may_leave_vhds` are part of the DAG file, so that no run's input can decide
    about a loss.

    :param image_template: path of the document, relative to the DAG file or absolute, or its content as a dict. Only
        the path is a Jinja template: the document may hold scripts with braces of their own
    :param resource_group_name: where to create it, in the connection's subscription
    :param image_template_name: its name; by default the document's own
    :param parameters: what to fill in for the document's parameters and `<placeholders>`: a mapping, or the path of a
        parameters file, relative to the DAG file or absolute, which is a Jinja template as the document's path is one
    :param location: region, for documents that leave it open
    :param document_name: which one, where a deployment file holds several image templates
    :param disabled_rules: rules of the check that do not count, each with the reason, which goes to the task log
    :param replace: whether an image template of other content may be replaced; one that Azure could not take in
        (`Failed`, `Canceled`) is replaced in any case
    :param cancel_running: on replacing, cancel a run that goes on and give up its log
    :param discard_vhds: on replacing, give up VHDs that have not been copied
    :param discard_logs: on replacing, give up a customization log that has not been archived
    :param may_leave_vhds: whether the document may make VHDs that stay in the staging resource group, for another task
        to copy; if not, one that does is an `ImageTemplateError` before Azure is asked, unless `discard_vhds` is true
    """

    template_fields: Sequence[str] = (
        *(field for field in WaitingOperator.template_fields if field != "image_template_id"),
        "image_template",
        "parameters",
        "location",
    )
    # Its document may say it.
    is_known_otherwise = True
    template_fields_renderers = {"image_template": "json", "parameters": "json"}  # noqa: RUF012 - Airflow's own spelling

    def __init__(
        self,
        *,
        image_template: str | Path | Mapping[str, Any],
        resource_group_name: str,
        image_template_name: str | None = None,
        parameters: Mapping[str, Any] | str | Path | XComArg | None = None,
        location: str | None = None,
        document_name: str | None = None,
        disabled_rules: Mapping[str, str] | None = None,
        replace: bool = True,
        cancel_running: bool = False,
        discard_vhds: bool = False,
        discard_logs: bool = False,
        may_leave_vhds: bool = True,
        **kwargs: Any,
    ) -> None:
        if "image_template_id" in kwargs:
            raise TypeError(
                f"Task {kwargs.get('task_id')!r} cannot be given image_template_id: what is not there yet is named by "
                "resource_group_name, and image_template_name or the document's own name."
            )
        super().__init__(
            image_template_id=None,
            resource_group_name=resource_group_name,
            image_template_name=image_template_name,
            **kwargs,
        )
        require_document("image_template", image_template)
        if parameters is not None:
            require_document("parameters", parameters)
        self.image_template: Any = str(image_template) if isinstance(image_template, Path) else image_template
        if isinstance(image_template, Mapping):
            # Airflow would take every text inside it for a Jinja template.
            self.image_template = literal(image_template)
        # Airflow puts the value in the place of an XComArg before `execute`.
        self.parameters: Any = str(parameters) if isinstance(parameters, Path) else parameters
        self.location = location
        self.document_name = document_name
        self.disabled_rules = require_reasons("disabled_rules", disabled_rules)
        self.replace = replace
        self.accepted_losses = AcceptedLosses(cancel_running, discard_vhds, discard_logs)
        self.may_leave_vhds = may_leave_vhds

    def execute(self, context: Context) -> str:
        """Create or keep the image template."""
        from airflow_aib.hooks.image_templates import provisioning_state
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.triggers.pushed_diagnosis import pushed_diagnosis

        rendered = self.render_document(_moment_of(context))
        image_template_id = self._choose_image_template_id(rendered)
        self.note_image_template(image_template_id)
        with pushed_diagnosis(context):
            submitted = run_async(self._submit(image_template_id, rendered))
        self.note_image_template(image_template_id, submitted.body)
        if self.deferrable and provisioning_state(submitted.body) != "Succeeded":
            self.defer_until(
                "provisioned",
                image_template_id,
                self.provision_timeout,
                kwargs={"has_replaced": submitted.has_replaced},
            )
        return image_template_id

    def execute_complete(
        self, context: Context, event: Any = None, deferred_at: str | None = None, *, has_replaced: bool = False
    ) -> str:
        """Look how it turned out.

        :param deferred_at: when the wait on the triggerer began, ISO 8601
        :param has_replaced: whether a sound image template had to go for this one
        """
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.hooks.submission import telling_what_is_gone
        from airflow_aib.triggers.pushed_diagnosis import pushed_diagnosis
        from airflow_aib.triggers.state_event import StateEvent

        self.note_resumed()
        state = StateEvent.from_payload(event)
        self.log.info("%s", state.message)
        with pushed_diagnosis(context), telling_what_is_gone(has_replaced=has_replaced):
            body = run_async(self._look_again(state.image_template_id, self.waited_since(deferred_at)))
        self.note_image_template(state.image_template_id, body)
        return state.image_template_id

    def render_document(self, now: datetime | None = None) -> RenderedImageTemplate:
        """Read the document, fill it in and check it; nothing is sent to Azure.

        :param now: what `utcNow()` writes, where the document asks for it
        """
        from airflow_aib.hooks.submission import refuse_vhds, require_good
        from airflow_aib.image_template.document import read_document
        from airflow_aib.image_template.render import RenderContext, render

        document = read_document(self._find_document(), name=self.document_name)
        context = RenderContext(
            subscription_id=self.hook.settings.require_subscription_id(),
            resource_group_name=str(self.resource_group_name),
            location=self.location,
            now=now,
        )
        rendered = render(document, self._find_parameters(), context)
        for secret in rendered.secrets:
            mask_secret(secret)
        require_good(rendered, self.log, self.disabled_rules)
        if not self.may_leave_vhds:
            refuse_vhds(rendered, self.log, are_given_up=self.accepted_losses.discard_vhds)
        return rendered

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Context,
        jinja_env: jinja2.Environment,
        seen_oids: set[int],
    ) -> None:
        # Airflow's own place for this, in mapped tasks too: right after it, the fields are stored for the UI.
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
        if parent is self:
            self._mask_secure_parameters()

    def _mask_secure_parameters(self) -> None:
        """Have Airflow mask the values of secure parameters, before it stores the rendered fields."""
        from airflow_aib.image_template.document import read_document
        from airflow_aib.image_template.values.parameters import secure_texts

        # What is wrong with the document or the parameters file, `execute` tells.
        with suppress(ImageTemplateError):
            document = read_document(self._find_document(), name=self.document_name)
            for secret in secure_texts(document, self._find_parameters()):
                mask_secret(secret)

    def _find_document(self) -> str | Path | Mapping[str, Any]:
        given: str | Mapping[str, Any] = self.image_template
        return self._find_file(given) if isinstance(given, str) else given

    def _find_parameters(self) -> Mapping[str, Any]:
        from airflow_aib.image_template.parameters_file import read_parameters

        if isinstance(self.parameters, str):
            return read_parameters(self._find_file(self.parameters))
        if self.parameters is not None and not isinstance(self.parameters, Mapping):
            raise ImageTemplateRenderError(
                f"`parameters` of task {self.task_id} became {type(self.parameters).__name__}",
                hint="Give a mapping from names to values, or the path of a parameters file.",
            )
        return self.parameters or {}

    def _find_file(self, given: str) -> str | Path:
        if Path(given).is_absolute() or self._dag is None:
            return given
        beside_dag_file = Path(self.dag.fileloc).parent / given
        return beside_dag_file if beside_dag_file.exists() else given

    def _choose_image_template_id(self, rendered: RenderedImageTemplate) -> str:
        name = self.image_template_name or rendered.name
        if not name:
            raise ImageTemplateReadError(
                f"{rendered.source} does not name its image template",
                hint="Give image_template_name, or write a name into the document.",
                source=rendered.source,
            )
        return self.hook.image_template_id(str(self.resource_group_name), name)

    async def _submit(self, image_template_id: str, rendered: RenderedImageTemplate) -> Submitted:
        from airflow_aib.hooks.image_templates import provisioning_state
        from airflow_aib.hooks.submission import Submission, telling_what_is_gone

        async with self.open_service() as service:
            async with self.within_preparation(image_template_id):
                if rendered.depends_on:
                    self.log.info("It depends on: %s", ", ".join(rendered.depends_on))
                await service.wait_for_dependencies(rendered.depends_on, poll_interval=self.seconds_between_looks)
                removal = self.removal(service, image_template_id, self.accepted_losses)
                submitted = await Submission(removal, rendered, self.replace, self.log).submit()
            if not self.wait_for_completion or provisioning_state(submitted.body) == "Succeeded":
                return submitted
            with telling_what_is_gone(has_replaced=submitted.has_replaced):
                if self.deferrable:
                    body = await self._first_looks(service, image_template_id) or submitted.body
                else:
                    body = await self._wait_until_provisioned(service, image_template_id, self.provision_timeout)
            return submitted._replace(body=body)

    async def _first_looks(self, service: ImageTemplateService, image_template_id: str) -> dict[str, Any] | None:
        """Look a few times before deferring, which takes longer than a short wait."""
        within = timedelta(seconds=min(FIRST_LOOKS, self.waiting.trigger_min_age))
        try:
            return await self._wait_until_provisioned(service, image_template_id, within)
        except ArmRequestError as error:
            if error.code != "Overdue":
                raise
            return None

    async def _look_again(self, image_template_id: str, waited: timedelta) -> dict[str, Any]:
        async with self.open_service() as service:
            await self.bear_outage(service, image_template_id)
            return await self._wait_until_provisioned(service, image_template_id, LAST_LOOKS, waited)

    async def _wait_until_provisioned(
        self,
        service: ImageTemplateService,
        image_template_id: str,
        within: timedelta,
        waited: timedelta = timedelta(),
    ) -> dict[str, Any]:
        return await service.wait_until_provisioned(
            image_template_id, poll_interval=self.seconds_between_looks, within=within, waited=waited
        )


def _moment_of(context: Context) -> datetime | None:
    """Give the moment of the DAG run, which is the same for all tries of its tasks."""
    dag_run = context.get("dag_run")
    return dag_run.run_after if dag_run else None


class AzureImageTemplateDeleteOperator(WaitingOperator):
    """Delete an image template with its staging resource group, unless that would lose something.

    Refused are the loss of a run that goes on, of a VHD that nobody has copied, and of a customization log that nobody
    has archived. One that is not there is fine. Returns whether there was one.

    Errors: `ImageTemplateInUseError` when that would lose something; `ImageTemplateStuckError` when it is not over
    within option `provision_timeout`; `ArmRequestError` for whatever else Azure refuses.

    Also with `deferrable`, what must come first is awaited on the worker: the end of a creation, or of a run that is
    being cancelled. After it comes another request, and only workers send those. It may take the options
    `provision_timeout` and `cancel_allowance` together. `cancel_running`, `discard_vhds` and `discard_logs` are no
    Jinja templates, so that no run's input can decide about a loss.

    :param cancel_running: cancel a run that goes on and give up its log
    :param discard_vhds: give up VHDs that have not been copied
    :param discard_logs: give up a customization log that has not been archived
    """

    def __init__(
        self,
        *,
        cancel_running: bool = False,
        discard_vhds: bool = False,
        discard_logs: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.accepted_losses = AcceptedLosses(cancel_running, discard_vhds, discard_logs)

    def execute(self, context: Context) -> bool:
        """Delete the image template."""
        from airflow_aib.hooks.run_async import run_async

        del context
        image_template_id = self.find_image_template_id()
        self.note_image_template(image_template_id)
        if not run_async(self._delete(image_template_id)):
            self.log.info("There is no image template %s.", image_template_id)
            return False
        if self.deferrable:
            self.defer_until("deleted", image_template_id, self.provision_timeout)
        return True

    def execute_complete(self, context: Context, event: Any = None, deferred_at: str | None = None) -> bool:
        """Look how it turned out."""
        from airflow_aib.hooks.run_async import run_async
        from airflow_aib.triggers.state_event import StateEvent

        del context
        self.note_resumed()
        state = StateEvent.from_payload(event)
        self.log.info("%s", state.message)
        self.note_image_template(state.image_template_id)
        run_async(self._look_again(state.image_template_id, self.waited_since(deferred_at)))
        return True

    async def _delete(self, image_template_id: str) -> bool:
        async with self.open_service() as service:
            removal = self.removal(service, image_template_id, self.accepted_losses)
            async with self.within_preparation(image_template_id):
                was_there = await removal.delete()
            if was_there and self.wait_for_completion and not self.deferrable:
                await removal.until_deleted()
        return was_there

    async def _look_again(self, image_template_id: str, waited: timedelta) -> None:
        async with self.open_service() as service:
            await self.bear_outage(service, image_template_id)
            await service.wait_until_deleted(
                image_template_id, poll_interval=self.seconds_between_looks, within=LAST_LOOKS, waited=waited
            )
