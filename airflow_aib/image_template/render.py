"""Document and parameters become the exact body to submit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.dependencies import resolve_dependency
from airflow_aib.image_template.expressions.copy_loops import CopyLoop, is_loops, loops_in, unfolded
from airflow_aib.image_template.expressions.evaluation import evaluate, is_expression
from airflow_aib.image_template.expressions.limits import ExpressionError, UnsupportedFunctionError
from airflow_aib.image_template.expressions.syntax import is_bracketed, is_escaped
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.pointers import child
from airflow_aib.image_template.unknown import holds_unknown
from airflow_aib.image_template.upgrading.upgrade import Change, moved_by, upgrade
from airflow_aib.image_template.values.parameters import RenderContext, Values
from airflow_aib.image_template.values.placeholders import fill_placeholders, is_free_text, placeholders_in
from airflow_aib.image_template.values.wanted import missing_names
from airflow_aib.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument, SiblingResource

__all__ = ["RenderContext", "RenderedImageTemplate", "render"]

# What is submitted; the rest of a resource names it, orders it, or was added by Azure.
_BODY_MEMBERS = ("location", "tags", "identity", "properties")
_SILENTLY_LEFT_OUT = frozenset(
    {
        "type",
        "apiversion",
        "name",
        "dependson",
        "comments",
        "metadata",
        "condition",
        "copy",
        "id",
        "systemdata",
        "$schema",
    }
)
_LONGEST_QUOTE = 120
_CORRECT = "Correct it there, or pass another value."
_SUPPORTED = "What is evaluated locally stands in docs/reference/image_templates.md."


@dataclass(frozen=True)
class RenderedImageTemplate:
    """Hold the exact body to submit.

    :param body: location, tags, identity, properties; it may hold secrets, so it is never printed
    :param name: of the image template, where the document says it
    :param api_version: which the document was written for
    :param depends_on: resource ids
    :param source: the file, or `<dict>`
    :param changes: old spellings that were brought to the current api-version
    :param findings: what was noticed on the way
    :param secrets: values of secure parameters, and what expressions made of them, to be masked wherever text is shown
    :param written: the body before old spellings were brought to the current api-version
    :param moved: JSON pointers into the body that are others in the document, with those
    :param document: what was rendered, where it is known
    :param siblings: the other resources of the deployment file, names and regions filled in where that is possible
    :param resource_group_id: where the image template will live; empty where it is not known
    :param missing: the names of values that were asked for and are unknown
    """

    body: dict[str, Any] = field(repr=False)
    name: str | None
    api_version: str | None
    depends_on: tuple[str, ...]
    source: str
    changes: tuple[Change, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    written: dict[str, Any] = field(default_factory=dict, repr=False)
    moved: Mapping[str, str] = field(default_factory=dict, repr=False)
    document: ImageTemplateDocument | None = field(default=None, repr=False, compare=False)
    siblings: tuple[SiblingResource, ...] = field(default=(), repr=False)
    resource_group_id: str = ""
    missing: tuple[str, ...] = ()


def render(
    document: ImageTemplateDocument,
    parameters: Mapping[str, object],
    context: RenderContext,
    *,
    allow_unknown: bool = False,
) -> RenderedImageTemplate:
    """Fill in expressions and `<placeholders>`, and bring old spellings to the current api-version.

    :param parameters: values by name; letter case does not matter
    :param context: where the image template will live
    :param allow_unknown: whether to go on without values that nobody passed, or that only Azure has: each is a warning,
        and a text of `unknown.py` stands for it. Such a body is for checking, not for submitting
    """
    values = Values(document, parameters, context, allow_unknown=allow_unknown)
    rendering = _Rendering(document, values)
    rendering.require_values()
    rendering.require_condition()
    body = {key: rendering.value(document.body[key], f"/{key}") for key in _BODY_MEMBERS if key in document.body}
    if not body.get("location") and context.location:
        body["location"] = context.location
    api_version = rendering.optional_text("apiVersion")
    upgraded, changes = upgrade(body, context, api_version)
    return RenderedImageTemplate(
        body=upgraded,
        name=rendering.optional_text("name"),
        api_version=api_version,
        depends_on=rendering.depends_on(),
        source=document.source,
        changes=changes,
        findings=(
            *document.findings,
            *rendering.findings,
            *values.unknown_findings,
            *_unused(values),
            *_left_out(document),
        ),
        secrets=values.secrets,
        written=body,
        moved=rendering.moved | moved_by(changes),
        document=document,
        siblings=rendering.siblings(),
        resource_group_id=context.resource_group_id,
        missing=values.missing,
    )


class _Rendering:
    """Walk one document."""

    def __init__(self, document: ImageTemplateDocument, values: Values) -> None:
        self._document = document
        self._values = values
        self.findings: list[Finding] = []
        self.moved: dict[str, str] = {}

    def require_values(self) -> None:
        """Report every missing name at once, unless unknowns are allowed."""
        if self._values.allow_unknown:
            return
        body = self._document.body
        parts = {f"/{key}": body[key] for key in (*_BODY_MEMBERS, "name", "dependsOn", "condition") if key in body}
        missing = missing_names(parts, self._values, is_deployment=self._document.is_deployment)
        if missing:
            raise ImageTemplateRenderError(
                f"{self._document.source} has no value for {', '.join(missing)}",
                hint="Pass them as `parameters`.",
                missing=[name.strip("<>") for name in missing],
            )

    def require_condition(self) -> None:
        """Refuse what ARM would leave out, and what only ARM's own loops can unfold.

        Where unknowns are allowed nothing is submitted, and what ARM might deploy is looked at.
        """
        body = self._document.body
        if "copy" in body and self._values.allow_unknown:
            self.findings.append(
                warning(
                    "/copy",
                    "resource-copy",
                    "The copy loop makes several image templates",
                    "Write one image template, and map the task over what differs.",
                )
            )
        elif "copy" in body:
            raise ImageTemplateRenderError(
                f"{self._document.source} has a copy loop around the image template, which makes several of them",
                hint="Write one image template, and map the task over what differs.",
            )
        condition = self.value(body.get("condition", True), "/condition")
        if condition is not True and not self._values.allow_unknown:
            raise ImageTemplateRenderError(
                f"{self._document.source}: the image template's condition is not true with these parameters",
                hint="ARM would not deploy it; pass other parameters or leave the task out.",
            )

    def value(self, value: Any, path: str) -> Any:
        """Fill in a value and everything inside it."""
        if isinstance(value, dict):
            return dict(member for key, item in value.items() for member in self._members(key, item, path, set(value)))
        if isinstance(value, list):
            return [self.value(item, f"{path}/{index}") for index, item in enumerate(value)]
        return self._text(value, path, is_free=is_free_text(path)) if isinstance(value, str) else value

    def _members(self, key: str, item: Any, path: str, names: set[str]) -> Iterator[tuple[str, Any]]:
        """Give what a member becomes: itself with everything filled in, or the lists of its copy loops."""
        if is_loops(key, item):
            for number, loop in enumerate(self._attempt(f"{path}/copy", "copy", lambda: list(loops_in(item)))):
                if loop.name in names:
                    self._refuse(f"{path}/copy", "copy", f"{loop.name!r} stands beside the copy loop of that name")
                yield loop.name, self._unfolded(loop, path, number)
        else:
            name = str(self._text(key, path, is_free=False))
            if name != key:
                self.moved[child(path, name)] = child(path, key)
            yield name, self.value(item, child(path, key))

    def _unfolded(self, loop: CopyLoop, path: str, number: int) -> Any:
        written = f"{path}/copy/{number}"
        count = self.value(loop.count, f"{written}/count")
        place = child(path, loop.name)
        self.moved[place] = written

        def item_at(item: Any, index: int) -> Any:
            self.moved[child(place, index)] = f"{written}/input"
            return self.value(item, child(place, index))

        return self._attempt(written, "copy", lambda: unfolded(loop, count, item_at, self._values))

    def optional_text(self, key: str) -> str | None:
        """Fill in a member of the resource that may be absent."""
        value = self._document.body.get(key)
        return None if value is None else str(self.value(value, f"/{key}"))

    def depends_on(self) -> tuple[str, ...]:
        """Resolve `dependsOn` to resource ids."""
        return tuple(
            self._resolved(str(self.value(item, f"/dependsOn/{index}")))
            for index, item in enumerate(self._document.depends_on)
        )

    def _resolved(self, dependency: str) -> str:
        if self._values.allow_unknown and holds_unknown(dependency):
            return dependency
        return resolve_dependency(
            dependency,
            self._document.siblings,
            lambda name: str(self.value(name, "/name")),
            self._values.resource_group()["id"],
            self._document.source,
        )

    def siblings(self) -> tuple[SiblingResource, ...]:
        """Fill in the other resources of the file; what cannot be stays as written, since none is submitted here."""
        return tuple(self._sibling(resource) for resource in self._document.siblings)

    def _sibling(self, resource: SiblingResource) -> SiblingResource:
        try:
            name = str(self.value(resource.name, "/name"))
            return replace(resource, name=name, location=str(self.value(resource.location, "/location")))
        except ImageTemplateRenderError:
            return resource

    def _text(self, text: str, path: str, *, is_free: bool) -> Any:
        self._values.path = path
        if is_bracketed(text) and self._is_expression(text, is_free=is_free):
            return self._attempt(path, text, lambda: evaluate(text, self._values))
        if is_escaped(text) and self._is_expression(text[1:], is_free=is_free):
            return text[1:]
        if is_free:
            self._note_left(text, path)
        return self._attempt(path, text, lambda: fill_placeholders(text, self._values, is_free=is_free))

    def _is_expression(self, text: str, *, is_free: bool) -> bool:
        return is_expression(text, is_deployment=self._document.is_deployment, is_free=is_free)

    def _attempt(self, path: str, text: str, fill: Callable[[], Any]) -> Any:
        """Fill something in; what goes wrong tells where."""
        hint = _CORRECT
        try:
            return fill()
        except UnsupportedFunctionError as error:
            problem, hint = str(error), _SUPPORTED
        except ExpressionError as error:
            problem = str(error)
        except RecursionError:
            problem = "it is nested too deeply"
        # Outside `except`: causes may quote a secret value.
        return self._refuse(path, text, problem, hint)

    def _refuse(self, path: str, text: str, problem: str, hint: str = _CORRECT) -> NoReturn:
        path, shown, problem = map(Masker(self._values.secrets).mask, (path, text, problem))
        quoted = shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]}..."
        raise ImageTemplateRenderError(
            f"{self._document.source}, at {path}: {quoted}: {problem}",
            hint=hint,
            path=path,
            problem=f"{quoted}: {problem}",
        )

    def _note_left(self, text: str, path: str) -> None:
        """Remark on a placeholder that is the whole text of a script line or tag, and has no value."""
        for name in placeholders_in(text):
            if text.strip() == f"<{name}>" and not self._values.is_known(name):
                self.findings.append(
                    warning(path, "placeholder-left", f"<{name}> has no value and stays as it is", f"Pass {name!r}.")
                )


def _unused(values: Values) -> list[Finding]:
    return [
        warning(
            "",
            "parameter-unused",
            f"Nothing in the document asks for the parameter {name!r}",
            "Correct its name, or drop it.",
        )
        for name in values.unused()
    ]


def _left_out(document: ImageTemplateDocument) -> list[Finding]:
    return [
        warning(
            child("", key), "member-left-out", f"{key!r} is no part of an image template, and not sent", "Leave it out."
        )
        for key in document.body
        if key not in _BODY_MEMBERS and key.casefold() not in _SILENTLY_LEFT_OUT
    ]
